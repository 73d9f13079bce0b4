#include "stream/service.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <thread>

#include "state/rocksdb_state_store.h"
#include "stream/contribution_codec.h"
#include "stream/kafka_reader.h"
#include "stream/kafka_sink.h"
#include "stream/kafka_source.h"
#include "stream/kafka_topics.h"
#include "stream/rules_check.h"
#include "stream/trainer_producer.h"

namespace rfm {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRebuildPause{500};
constexpr std::chrono::minutes kFencedWindow{1};
constexpr milliseconds kModelPoll{10};
constexpr milliseconds kStatusInterval{1000};
constexpr milliseconds kReportInterval{100};

// Whether dropping everything and starting from the last commit can help.
bool is_mendable(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kInternal:
      return true;
    default:
      return false;
  }
}

// One life of the pipeline, from recovery to stop or failure.
class Pipeline {
 public:
  Pipeline(const ServiceOptions& options, const Clock& clock, StateStore& store)
      : options_(options), clock_(clock), store_(store) {}

  absl::Status run();

 private:
  struct LaneThread {
    std::unique_ptr<KafkaSource> source;
    std::unique_ptr<KafkaSink> sink;
    std::unique_ptr<Lane> lane;
    std::thread thread;
    absl::Status status;
    std::mutex mutex;               // Guards `report`.
    ServiceOptions::Status report;  // Written by the lane's thread only.
    std::chrono::steady_clock::time_point reported{};
  };

  absl::Status open_topics();
  absl::Status open_model();
  absl::Status read_contributions(TrainerHistory& history);
  absl::Status open_lane(int index);
  absl::StatusOr<std::vector<std::pair<PartitionId, Offset>>> assign(
      Lane& lane, const std::vector<PartitionId>& partitions);
  absl::StatusOr<Offset> catch_up(PartitionId partition, Offset from, const Lane::Apply& apply);
  absl::Status drive(LaneThread& lane);
  void publish_report(LaneThread& lane, Lane::Activity activity);
  void say_status();

  const ServiceOptions& options_;
  const Clock& clock_;
  StateStore& store_;
  int partition_count_ = 0;
  RulesRecord rules_record_;
  std::unique_ptr<TrainerProducer> producer_;
  std::unique_ptr<Trainer> trainer_;
  std::vector<std::unique_ptr<LaneThread>> lanes_;
  std::atomic<bool> stopping_ = false;
};

absl::Status Pipeline::open_topics() {
  const KafkaOptions& kafka = options_.kafka.front();
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(kafka);
  if (!topics.ok()) return topics.status();
  const KafkaTopicNames names = topic_names(kafka);
  const absl::StatusOr<std::optional<int>> input = topics->partition_count(names.input);
  if (!input.ok()) return input.status();
  if (!*input) {
    return absl::NotFoundError(fmt::format(
        "there is no topic {}: create the topics with `rfmstream topics create`", names.input));
  }
  partition_count_ = **input;
  for (const std::string& name :
       {names.transitions, names.segments, names.dead_letters, names.changelog, names.ticks,
        names.contributions, names.model, names.idle}) {
    const absl::StatusOr<std::optional<int>> count = topics->partition_count(name);
    if (!count.ok()) return count.status();
    if (!*count) {
      return absl::NotFoundError(fmt::format(
          "there is no topic {}: create the topics with `rfmstream topics create`", name));
    }
    const bool follows_input =
        name == names.changelog || name == names.ticks || name == names.contributions;
    if (follows_input && **count != partition_count_) {
      return absl::FailedPreconditionError(
          fmt::format("topic {} has {} partitions, the input {} has {}: they must be as many", name,
                      **count, names.input, partition_count_));
    }
  }
  return absl::OkStatus();
}

// The trainer's transactions are settled first, so that the log read then is all there is.
absl::Status Pipeline::open_model() {
  const KafkaOptions& kafka = options_.kafka.front();
  absl::StatusOr<TrainerProducer> producer = TrainerProducer::open(kafka);
  if (!producer.ok()) return producer.status();
  producer_ = std::make_unique<TrainerProducer>(*std::move(producer));
  absl::StatusOr<std::unique_ptr<KafkaReader>> reader =
      KafkaReader::open(kafka, Isolation::kCommitted);
  if (!reader.ok()) return reader.status();
  std::vector<ModelLogRecord> records;
  const absl::StatusOr<Offset> read = (*reader)->read_to_end(
      topic_names(kafka).model, 0, kFromBeginning, [&](const RecordView& record) {
        if (record.key && record.value)
          records.push_back({std::string(*record.key), std::string(*record.value)});
        return absl::OkStatus();
      });
  if (!read.ok()) return read.status();
  absl::StatusOr<ModelLog> log = decode_model_log(records);
  if (!log.ok()) return log.status();
  if (log->rules.empty()) {
    absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(kafka);
    if (!topics.ok()) return topics.status();
    const absl::StatusOr<std::vector<OffsetRange>> input = topics->ranges(kafka.input_topic);
    if (!input.ok()) return input.status();
    rules_record_.settings = options_.semantic;
    rules_record_.first_start_ms = clock_.wall_ms();
    for (const OffsetRange& range : *input) rules_record_.go_live.push_back(range.end);
    const std::vector<ModelLogRecord> first = {encode_rules(rules_record_)};
    const absl::Status published = producer_->publish(first);
    if (!published.ok()) return published;
  } else {
    rules_record_ = log->rules.back();
    const absl::Status same = check_same_rules(rules_record_.settings, options_.semantic);
    if (!same.ok()) return same;
  }
  TrainerHistory history;
  history.versions = std::move(log->versions);
  const absl::Status contributed = read_contributions(history);
  if (!contributed.ok()) return contributed;
  TrainerOptions trainer{
      .training = options_.training,
      .partition_count = partition_count_,
      .publish = [this](std::span<const ModelLogRecord> r) { return producer_->publish(r); }};
  trainer_ =
      std::make_unique<Trainer>(std::move(trainer), std::move(history), Trainer::Mode::kTrain);
  return absl::OkStatus();
}

absl::Status Pipeline::read_contributions(TrainerHistory& history) {
  const KafkaOptions& kafka = options_.kafka.front();
  absl::StatusOr<std::unique_ptr<KafkaReader>> reader =
      KafkaReader::open(kafka, Isolation::kCommitted);
  if (!reader.ok()) return reader.status();
  ContributionAssembler assembler;
  for (PartitionId p = 0; p < partition_count_; ++p) {
    const absl::StatusOr<Offset> read = (*reader)->read_to_end(
        topic_names(kafka).contributions, p, kFromBeginning, [&](const RecordView& record) {
          return record.key && record.value ? assembler.add(*record.key, *record.value)
                                            : absl::OkStatus();
        });
    if (!read.ok()) return read.status();
  }
  history.contributions = assembler.take();
  return absl::OkStatus();
}

// The sink is opened before anything is read: that settles what this instance left open.
absl::Status Pipeline::open_lane(int index) {
  auto lane = std::make_unique<LaneThread>();
  LaneThread& l = *lane;
  lanes_.push_back(std::move(lane));
  const KafkaOptions& kafka = options_.kafka[static_cast<std::size_t>(index)];
  RebalanceListener listener{.on_assign =
                                 [this, &l](const std::vector<PartitionId>& partitions) {
                                   return assign(*l.lane, partitions);
                                 },
                             .on_revoke =
                                 [&l](const std::vector<PartitionId>&, Revocation revocation) {
                                   if (revocation == Revocation::kOrderly) {
                                     const absl::Status committed = l.lane->commit();
                                     if (!committed.ok())
                                       spdlog::warn("commit at revocation: {}",
                                                    std::string(committed.message()));
                                   }
                                   l.sink->abandon();
                                   l.lane->drop_partitions();
                                 }};
  absl::StatusOr<std::unique_ptr<KafkaSource>> source =
      KafkaSource::join(kafka, std::move(listener));
  if (!source.ok()) return source.status();
  l.source = *std::move(source);
  absl::StatusOr<std::unique_ptr<KafkaSink>> sink =
      KafkaSink::open(kafka, &l.source->membership(), options_.observer);
  if (!sink.ok()) return sink.status();
  l.sink = *std::move(sink);
  return absl::OkStatus();
}

absl::StatusOr<Offset> Pipeline::catch_up(PartitionId partition, Offset from,
                                          const Lane::Apply& apply) {
  const KafkaOptions& kafka = options_.kafka.front();
  absl::StatusOr<std::unique_ptr<KafkaReader>> reader =
      KafkaReader::open(kafka, Isolation::kCommitted);
  if (!reader.ok()) return reader.status();
  return (*reader)->read_to_end(topic_names(kafka).changelog, partition,
                                from == 0 ? kFromBeginning : from,
                                [&](const RecordView& record) -> absl::Status {
                                  if (!record.key)
                                    return absl::DataLossError("changelog: a record has no key");
                                  return apply(*record.key, record.value);
                                });
}

absl::StatusOr<std::vector<std::pair<PartitionId, Offset>>> Pipeline::assign(
    Lane& lane, const std::vector<PartitionId>& partitions) {
  lane.drop_partitions();
  const KafkaOptions& kafka = options_.kafka.front();
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(kafka);
  if (!topics.ok()) return topics.status();
  const absl::StatusOr<std::vector<OffsetRange>> input = topics->ranges(kafka.input_topic);
  if (!input.ok()) return input.status();
  const absl::StatusOr<std::vector<CommittedPosition>> committed = topics->committed(partitions);
  if (!committed.ok()) return committed.status();
  std::vector<std::pair<PartitionId, Offset>> positions;
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    const PartitionId p = partitions[i];
    PartitionOptions partition;
    partition.partition = p;
    partition.schedule = options_.training.schedule;
    const auto index = static_cast<std::size_t>(p);
    if (index < rules_record_.go_live.size())
      partition.go_live_offset = rules_record_.go_live[index];
    const auto reader = [this, p](Offset from, const Lane::Apply& apply) {
      return catch_up(p, from, apply);
    };
    absl::StatusOr<Offset> restored = lane.restore(partition, reader);
    if (restored.status().code() == absl::StatusCode::kOutOfRange) {
      // The changelog is not the one this store was written beside: what it holds now is the truth.
      spdlog::warn("partition {}: the state does not fit the changelog; it is restored from there",
                   p);
      const absl::Status dropped = store_.drop_partition(p);
      if (!dropped.ok()) return dropped;
      restored = lane.restore(partition, reader);
    }
    if (!restored.ok()) return restored.status();
    const std::optional<Offset> group_offset = (*committed)[i].next_offset;
    if (group_offset && *group_offset != *restored) {
      return absl::DataLossError(
          fmt::format("partition {}: the group has committed offset {}, the state belongs to {}: "
                      "they are always committed together, so "
                      "somebody has changed one of them",
                      p, *group_offset, *restored));
    }
    const OffsetRange& range = (*input)[index];
    if (!group_offset) restored = std::max(*restored, range.begin);
    if (*restored < range.begin || *restored > range.end) {
      return absl::DataLossError(
          fmt::format("partition {} of {}: offset {} is next, but the log holds {} to {}", p,
                      kafka.input_topic, *restored, range.begin, range.end));
    }
    positions.emplace_back(p, *restored);
  }
  spdlog::info("lane owns {} partitions", partitions.size());
  return positions;
}

absl::Status Pipeline::drive(LaneThread& l) {
  milliseconds pause{0};
  while (!stopping_) {
    const std::int64_t announced = trainer_->announcements();
    const absl::StatusOr<Lane::Activity> activity = l.lane->step();
    if (!activity.ok()) return activity.status();
    publish_report(l, *activity);
    if (*activity == Lane::Activity::kBusy) continue;
    const absl::Status idle = l.lane->idle();
    if (!idle.ok()) return idle;
    if (*activity == Lane::Activity::kWaiting) {
      trainer_->wait_announcement(announced, kModelPoll);
    } else {
      pause = l.lane->has_uncommitted() ? options_.lane.commit_interval / 4
                                        : options_.lane.commit_interval;
      l.source->wait(std::max(pause, milliseconds{1}));
    }
  }
  const absl::Status committed = l.lane->commit();
  return committed.ok() ? l.source->close() : committed;
}

void Pipeline::publish_report(LaneThread& l, Lane::Activity activity) {
  const bool settled = activity == Lane::Activity::kAtEnd && !l.lane->has_uncommitted();
  if (l.report.caught_up == settled && clock_.steady() - l.reported < kReportInterval) return;
  l.reported = clock_.steady();
  const std::scoped_lock lock(l.mutex);
  ServiceOptions::Status& report = l.report;
  report.counters = l.lane->counters();
  report.records_behind = 0;
  for (const PartitionId p : l.source->partitions())
    report.records_behind += l.source->records_behind(p);
  for (const Partition* p : l.lane->partitions())
    report.event_time = std::max(report.event_time, p->meta().max_event_time);
  report.caught_up = settled;
  report.commits = l.lane->commits();
  report.changelog_records = l.lane->changelog_records();
}

void Pipeline::say_status() {
  if (!options_.on_status) return;
  ServiceOptions::Status sum;
  sum.caught_up = true;
  for (const auto& lane : lanes_) {
    const std::scoped_lock lock(lane->mutex);
    sum.counters.add(lane->report.counters);
    sum.records_behind += lane->report.records_behind;
    sum.event_time = std::max(sum.event_time, lane->report.event_time);
    sum.caught_up &= lane->report.caught_up;
    sum.commits += lane->report.commits;
    sum.changelog_records += lane->report.changelog_records;
  }
  options_.on_status(sum);
}

absl::Status Pipeline::run() {
  absl::Status status = open_topics();
  for (int i = 0; status.ok() && i < options_.lanes; ++i) status = open_lane(i);
  if (status.ok()) status = open_model();
  if (!status.ok()) return status;
  LaneOptions lane_options = options_.lane;
  lane_options.partition_count = partition_count_;
  std::atomic<int> running = 0;
  for (const auto& lane : lanes_) {
    LaneThread& l = *lane;
    LaneParts parts{.source = *l.source,
                    .sink = *l.sink,
                    .store = store_,
                    .trainer = *trainer_,
                    .clock = clock_,
                    .observer = options_.observer,
                    .records_behind = [&l] {
                      std::int64_t behind = 0;
                      for (const PartitionId p : l.source->partitions())
                        behind += l.source->records_behind(p);
                      return behind;
                    }};
    l.lane = std::make_unique<Lane>(lane_options, options_.rules, options_.decoder, parts);
    ++running;
    l.thread = std::thread([this, &l, &running] {
      l.status = drive(l);
      stopping_ = true;  // One lane's failure ends this life of all.
      --running;
    });
  }
  auto said = clock_.steady();
  while (running > 0) {
    std::this_thread::sleep_for(milliseconds{20});
    if (options_.should_stop()) stopping_ = true;
    if (clock_.steady() - said >= kStatusInterval || stopping_) {
      said = clock_.steady();
      say_status();
    }
  }
  for (const auto& lane : lanes_) lane->thread.join();
  say_status();
  for (const auto& lane : lanes_) {
    if (status.ok()) status = lane->status;
  }
  // Lanes refer to the trainer.
  lanes_.clear();
  return status;
}

}  // namespace

absl::Status run_service(const ServiceOptions& options, const Clock& clock) {
  absl::StatusOr<std::unique_ptr<StateStore>> store = open_rocksdb_store(
      {.directory = options.state_directory,
       .on_corruption = [](const std::string& what) { spdlog::error("{}", what); }});
  if (!store.ok()) return store.status();
  std::optional<std::chrono::steady_clock::time_point> fenced;
  while (true) {
    const absl::Status ended = Pipeline(options, clock, **store).run();
    if (ended.ok() || !is_mendable(ended)) return ended;
    if (options.should_stop()) return absl::OkStatus();
    if (ended.code() == absl::StatusCode::kPermissionDenied) {
      if (fenced && clock.steady() - *fenced < kFencedWindow) return ended;
      fenced = clock.steady();
    }
    spdlog::warn("rebuilding from the last commit: {}", std::string(ended.message()));
    std::this_thread::sleep_for(kRebuildPause);
  }
}

}  // namespace rfm
