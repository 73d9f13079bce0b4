#include "stream/run/service_pipeline.h"

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <string>

#include "stream/run/kafka_restore.h"
#include "stream/run/lane_report.h"
#include "stream/run/stop_poll.h"
#include "stream/run/topic_check.h"

namespace rfm {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kModelPoll{10};
constexpr milliseconds kStatusInterval{200};
constexpr milliseconds kReportInterval{100};
constexpr std::chrono::seconds kStoreInterval{1};

}  // namespace

// The trainer's own leftover is settled by now, so that the log read here is all there is.
absl::Status ServicePipeline::open_model() {
  const KafkaOptions& kafka = options_.kafka.front();
  absl::StatusOr<ModelLog> log = read_model_log(kafka);
  if (!log.ok()) return log.status();
  losses_ = log->losses;
  std::vector<ModelLogRecord> first;
  std::vector<RulesRecord> records = log->rules;
  if (log->rules.empty()) {
    if (!lasting_.first_rules) {
      // The lanes' producers have asked for the time.
      auto begun = first_rules_record(kafka, options_.semantic, *time_.broker_ms());
      if (!begun.ok()) return begun.status();
      lasting_.first_rules = *std::move(begun);
    }
    records.push_back(*lasting_.first_rules);
    first.push_back(encode_rules(records.back()));
  }
  rules_record_ = records.back();
  rules_.emplace(kafka, host_, std::move(records));
  absl::Status ruled = lasting_.rules_checked ? absl::OkStatus() : rules_->check_started();
  lasting_.rules_checked = ruled.ok();
  if (ruled.ok()) ruled = rules_->read();
  if (!ruled.ok()) return ruled;
  auto contributions = read_contributions(kafka, partition_count_);
  if (!contributions.ok()) return contributions.status();
  const RulesHistory& rules = rules_->history();
  TrainerHistory history{.rules = rules.later,
                         .versions = std::move(log->versions),
                         .contributions = *std::move(contributions)};
  const TrainerOptions trainer{.training = rules.first.training,
                               .partition_count = partition_count_,
                               .first = std::move(first)};
  trainer_ =
      std::make_unique<Trainer>(trainer, *producer_, std::move(history), Trainer::Mode::kTrain);
  return absl::OkStatus();
}

absl::Status ServicePipeline::open_trainer_producer() {
  absl::StatusOr<std::unique_ptr<TrainerProducer>> producer =
      TrainerProducer::open(options_.kafka.front());
  if (!producer.ok()) return producer.status();
  producer_ = *std::move(producer);
  return absl::OkStatus();
}

absl::Status ServicePipeline::open_lane(int index) {
  LaneThread& l = *lanes_[static_cast<std::size_t>(index)];
  const KafkaOptions& kafka = options_.kafka[static_cast<std::size_t>(index)];
  absl::StatusOr<std::unique_ptr<KafkaSource>> source = KafkaSource::join(kafka, l);
  if (!source.ok()) return source.status();
  l.source = *std::move(source);
  absl::StatusOr<std::unique_ptr<KafkaSink>> sink =
      KafkaSink::open(kafka, &l.source->membership(), options_.observer, &time_);
  if (!sink.ok()) return sink.status();
  l.sink = *std::move(sink);
  return l.sink->probe_time();
}

// All at the same time: settling what a killed process left takes half a second each.
absl::Status ServicePipeline::open_producers() {
  for (int i = 0; i < options_.lanes; ++i) lanes_.push_back(std::make_unique<LaneThread>(*this, i));
  for (int i = 0; i < options_.lanes; ++i) {
    LaneThread& l = *lanes_[static_cast<std::size_t>(i)];
    l.thread = std::thread([this, &l, i] { l.status = open_lane(i); });
  }
  absl::Status status = open_trainer_producer();
  for (const auto& lane : lanes_) {
    lane->thread.join();
    if (status.ok()) status = lane->status;
  }
  return status;
}

absl::StatusOr<std::vector<std::pair<PartitionId, Offset>>> ServicePipeline::assign(
    LaneThread& l, const std::vector<PartitionId>& partitions) {
  const auto started = clock_.steady();
  const Restoring restoring(l);
  l.lane->drop_partitions();
  RestoreOptions restore{.partitions = {},
                         .begin = rules_record_.begin,
                         .losses = {.logged = losses_, .consented = options_.accepted_losses},
                         .trainer = *trainer_,
                         .rewrite_changelog = options_.rewrite_changelog,
                         .now_ms = clock_.wall_ms(),
                         .latest_ms = std::max(clock_.wall_ms(), time_.broker_ms().value_or(0))};
  for (const PartitionId p : partitions) {
    if (p >= partition_count_)
      return partitions_changed(options_.kafka.front(), partition_count_, partitions.back() + 1);
    PartitionOptions partition;
    partition.partition = p;
    partition.schedule = options_.schedule;
    partition.go_live_offset = go_live_offset(rules_record_, losses_, p);
    partition.first_start = from_ms(rules_record_.first_start_ms);
    restore.partitions.push_back(partition);
  }
  absl::StatusOr<RestoredInput> restored =
      restore_partitions(options_.kafka.front(), restore, store_, *l.lane);
  if (!restored.ok()) return restored.status();
  if (!restored->accepted.empty()) {
    std::vector<ModelLogRecord> records;
    for (const LossRecord& loss : restored->accepted) records.push_back(encode_loss(loss));
    if (const absl::Status logged = producer_->publish(records); !logged.ok()) return logged;
  }
  for (const PartitionId p : restored->lost_changelogs) {
    if (const absl::Status rewritten = l.lane->rewrite_changelog(p); !rewritten.ok())
      return rewritten;
  }
  l.assigned = true;
  l.lane->answer_queries();
  l.records_restored = l.lane->counters().records;
  std::size_t customers = 0;
  for (const Partition* p : l.lane->partitions()) customers += p->rows().size();
  spdlog::info("lane {} owns partitions [{}], {} customers restored in {} ms", l.number,
               fmt::join(partitions, ", "), customers,
               std::chrono::duration_cast<milliseconds>(clock_.steady() - started).count());
  return std::move(restored->positions);
}

QueryDesk* ServicePipeline::desk_of(const LaneThread& l) const {
  return options_.queries.empty() ? nullptr : options_.queries[static_cast<std::size_t>(l.number)];
}

void ServicePipeline::revoke(LaneThread& l, Revocation revocation) {
  if (l.assigned) l.records_before += l.lane->counters().records - l.records_restored;
  l.assigned = false;
  if (revocation == Revocation::kOrderly) {
    const absl::Status committed = l.lane->commit();
    if (!committed.ok()) {
      spdlog::warn("lane {}: the commit at a revocation failed: {}", l.number,
                   std::string(committed.message()));
    }
  }
  l.lane->drop_partitions();
  l.sink->abandon();
}

absl::Status ServicePipeline::drive(LaneThread& l) {
  while (!stopping_) {
    const std::int64_t announced = trainer_->announcements();
    const absl::StatusOr<Lane::Activity> activity = l.lane->step();
    if (!activity.ok()) return activity.status();
    publish_report(l);
    if (*activity == Lane::Activity::kBusy) continue;
    if (*activity == Lane::Activity::kPaused) {
      l.source->wait(options_.lane.commit_interval);
      continue;
    }
    const absl::Status idle = l.lane->idle();
    if (!idle.ok()) return idle;
    if (*activity == Lane::Activity::kWaiting) {
      trainer_->wait_announcement(announced, kModelPoll);
    } else {
      const milliseconds pause = l.lane->has_uncommitted() ? options_.lane.commit_interval / 4
                                                           : options_.lane.commit_interval;
      l.source->wait(std::max(pause, milliseconds{1}));
    }
  }
  const absl::Status committed = l.lane->commit();
  l.reported = {};
  publish_report(l);
  return committed.ok() ? l.source->close() : committed;
}

void ServicePipeline::publish_report(LaneThread& l) {
  const bool settled = l.assigned && l.lane->caught_up();
  if (l.report.caught_up == settled && clock_.steady() - l.reported < kReportInterval) return;
  l.reported = clock_.steady();
  const std::chrono::nanoseconds cpu = thread_cpu();
  lasting_.figures[static_cast<std::size_t>(l.number)].cpu += cpu - std::exchange(l.cpu_seen, cpu);
  ServiceStatus report = lane_report(*l.lane, *l.source);
  report.records = l.records_before;
  if (l.assigned) report.records += report.counters.records - l.records_restored;
  report.caught_up = settled;
  report.partitions_owned = l.assigned ? static_cast<int>(report.partitions.size()) : 0;
  LaneStatus& lane = report.lanes.front();
  lane.lane = l.number;
  lane.turned_at = l.reported;
  lane.is_assigned = l.assigned;
  if (const QueryDesk* const desk = desk_of(l)) lane.queries = desk->figures();
  if (report.held_back && report.held_back != l.report.held_back)
    spdlog::error("lane {} is held back: {}", l.number, *report.held_back);
  const std::scoped_lock lock(l.mutex);
  std::swap(l.report, report);
}

void ServicePipeline::say_status(const TopicWatch& watch) {
  ServiceNotices::say_clocks(time_);
  ServiceStatus sum;
  bool all_settled = true;
  sum.phase = ServicePhase::kRunning;
  sum.broker_answers = watch.broker_answers();
  sum.partition_count = partition_count_;
  sum.caught_up = true;
  sum.clock_jumps = time_.disagreements();
  sum.broker_ms = time_.believed_ms();
  sum.reactions = lasting_.status.reactions;
  for (const auto& lane : lanes_) {
    const std::scoped_lock lock(lane->mutex);
    sum.add(lane->report);
    all_settled &= lane->report.caught_up || lane->report.held_back;
  }
  sum.caught_up &= sum.partitions_owned == partition_count_;
  if (!all_settled || sum.partitions_owned < partition_count_) sum.held_back.reset();
  notices_.say_silence(sum.silence);
  sum.split = places_.split();
  notices_.say_split(sum.split);
  notices_.say_held(trainer_->newest().get());
  if (sum.partitions_owned > 0 && !restored_) restored_ = clock_.steady();
  notices_.say_unowned(sum, options_.kafka.front(), clock_.steady());
  if (clock_.steady() - looked_at_store_ >= kStoreInterval) {
    looked_at_store_ = clock_.steady();
    store_figures_ = store_.figures();
    store_figures_.add_counters(lasting_.store_before);
  }
  sum.store = store_figures_;
  lasting_.status = std::move(sum);
  host_.on_status(lasting_.status);
}

PipelineEnd ServicePipeline::run() {
  PipelineEnd end;
  end.status = live();
  end.stop_asked = stop_.asked();
  if (restored_) end.lived = clock_.steady() - *restored_;
  if (!end.status.ok() && !end.stop_asked && partition_count_ > 0) {
    // What a lane met first is a consequence, where the input has changed.
    const absl::Status seen = look_at_topics(options_.kafka.front(), partition_count_);
    if (!seen.ok()) end.status = seen;
    end.topic_gone = absl::IsNotFound(seen);
  }
  return end;
}

absl::Status ServicePipeline::live() {
  lasting_.status.disown(ServicePhase::kStarting, "");
  host_.on_status(lasting_.status);
  const absl::StatusOr<int> partition_count = check_start(options_, lasting_.scrutiny);
  if (!partition_count.ok()) return partition_count.status();
  partition_count_ = *partition_count;
  lasting_.scrutiny = TopicScrutiny::kCounts;
  absl::Status status = open_producers();
  if (status.ok()) status = wait_until_readable(options_.kafka.front());
  if (status.ok()) status = open_model();
  if (!status.ok()) return status;
  // A short life, or one that takes up what was asked for, does not wait for the first look.
  rules_->take_requests(*trainer_);
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
                    .places = &places_,
                    .time = &time_,
                    .observer = options_.observer,
                    .stop = &stop_,
                    .figures = &lasting_.figures[static_cast<std::size_t>(l.number)],
                    .queries = desk_of(l)};
    l.report.lanes = {{.lane = l.number, .turned_at = clock_.steady(), .figures = *parts.figures}};
    if (parts.queries != nullptr) l.report.lanes.front().queries = parts.queries->figures();
    l.lane = std::make_unique<Lane>(lane_options, rules_->history().first.rules, options_.decoder,
                                    parts);
    ++running;
    l.thread = std::thread([this, &l, &running] {
      pthread_setname_np(pthread_self(), fmt::format("lane-{}", l.number).c_str());
      l.status = drive(l);
      stopping_ = true;  // One lane's failure ends this life of all.
      --running;
    });
  }
  const TopicWatch watch(options_.kafka.front(), partition_count_,
                         [this] { rules_->take_requests(*trainer_); });
  auto said = clock_.steady();
  while (running > 0) {
    if (!sleep_unless_stopped(kStopPoll, stop_) || !watch.status().ok()) stopping_ = true;
    if (clock_.steady() - said >= kStatusInterval || stopping_) {
      said = clock_.steady();
      say_status(watch);
    }
  }
  for (const auto& lane : lanes_) lane->thread.join();
  say_status(watch);
  status = watch.status();
  for (const auto& lane : lanes_) {
    if (status.ok()) status = lane->status;
  }
  // Lanes refer to the trainer.
  lanes_.clear();
  return status;
}

}  // namespace rfm
