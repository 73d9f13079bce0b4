#include "stream/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "state/rocksdb_state_store.h"
#include "stream/contribution_codec.h"
#include "stream/file_sink.h"
#include "stream/file_source.h"
#include "stream/kafka_source.h"
#include "stream/kafka_topics.h"
#include "stream/model_log_file.h"
#include "stream/null_sink.h"
#include "stream/recording.h"
#include "stream/time_text.h"

namespace rfm {
namespace {

constexpr std::string_view kKafkaScheme = "kafka:";
constexpr std::chrono::milliseconds kProgressInterval{100};

bool is_topic(const std::string& input) { return input.starts_with(kKafkaScheme); }

}  // namespace

class Replay::Implementation {
 public:
  Implementation(ReplayOptions options, const Clock& clock)
      : options_(std::move(options)), clock_(clock) {}

  absl::Status open();
  absl::Status run(const std::function<bool(const ReplayProgress&)>& progress);

 private:
  friend class Replay;

  bool follows_model() const { return recording_ || !options_.model_log.empty(); }
  absl::StatusOr<ModelLog> read_stored_log();
  absl::Status store_model_log(std::span<const ModelLogRecord> records);
  absl::Status set_rules(const ModelLog& stored);
  absl::Status set_history(ModelLog stored, TrainerHistory& history);
  absl::Status open_trainer();
  absl::Status open_sink(const PartitionMeta& meta);
  absl::StatusOr<std::vector<PartitionRange>> ranges();
  absl::Status open_file();
  absl::Status open_topic();
  PartitionOptions partition_options(PartitionId partition) const;
  absl::Status make_lane();
  absl::Status finish();
  bool report(const std::function<bool(const ReplayProgress&)>& progress);

  ReplayOptions options_;
  const Clock& clock_;
  std::unique_ptr<StateStore> store_;
  std::unique_ptr<EventSource> source_;
  FileSource* file_ = nullptr;
  std::unique_ptr<TransitionSink> sink_;
  std::unique_ptr<Trainer> trainer_;
  std::unique_ptr<Lane> lane_;
  std::optional<Recording> recording_;
  RulesRecord rules_record_;
  std::vector<ModelVersion> versions_;
  std::function<void(const Transition&)> on_transition_;
  std::function<void(const Contribution&)> on_contribution_;
  std::chrono::steady_clock::time_point last_report_{};
};

absl::Status Replay::Implementation::open() {
  absl::StatusOr<std::unique_ptr<StateStore>> store =
      open_rocksdb_store({.directory = options_.state_directory, .on_corruption = {}});
  if (!store.ok()) return store.status();
  store_ = *std::move(store);
  if (is_topic(options_.input)) {
    if (options_.format == InputFormat::kCsv) {
      return absl::InvalidArgumentError(
          "the format csv is for files: a topic holds lines or invoices (--format)");
    }
    options_.kafka.input_topic = options_.input.substr(kKafkaScheme.size());
    options_.lane.input_topic = options_.kafka.input_topic;
  } else if (options_.recorded) {
    return absl::InvalidArgumentError(
        "--recorded: what an application has recorded belongs to its topic: --input kafka:TOPIC");
  }
  absl::Status status = open_trainer();
  if (!status.ok()) return status;
  return is_topic(options_.input) ? open_topic() : open_file();
}

absl::StatusOr<ModelLog> Replay::Implementation::read_stored_log() {
  std::vector<ModelLogRecord> records;
  const absl::Status read =
      store_->scan(StoreKind::kModelLog, 0, [&](std::string_view key, std::string_view value) {
        records.push_back({std::string(key), std::string(value)});
        return absl::OkStatus();
      });
  if (!read.ok()) return read;
  return decode_model_log(records);
}

absl::Status Replay::Implementation::store_model_log(std::span<const ModelLogRecord> records) {
  std::vector<StoreWrite> writes;
  for (const ModelLogRecord& record : records)
    writes.push_back({StoreKind::kModelLog, 0, record.key, record.value});
  return store_->write(writes);
}

absl::Status Replay::Implementation::set_rules(const ModelLog& stored) {
  if (!stored.rules.empty()) {
    rules_record_ = stored.rules.back();
  } else if (recording_) {
    rules_record_ = recording_->log.rules.back();
  } else {
    rules_record_ = {.settings = options_.semantic,
                     .go_live = {},
                     .go_live_time = options_.go_live ? to_rfc3339(*options_.go_live) : "",
                     .first_start_ms = clock_.wall_ms()};
  }
  const absl::Status same = options_.check_rules(rules_record_.settings);
  if (!same.ok()) return same;
  if (!stored.rules.empty()) {
    if (!options_.go_live || to_rfc3339(*options_.go_live) == rules_record_.go_live_time)
      return absl::OkStatus();
    return absl::FailedPreconditionError(fmt::format(
        "--go-live: the state directory {} was begun {}{}; it cannot be changed",
        options_.state_directory, rules_record_.go_live_time.empty() ? "without it" : "with ",
        rules_record_.go_live_time));
  }
  const std::vector<ModelLogRecord> first = {encode_rules(rules_record_)};
  return store_model_log(first);
}

absl::Status Replay::Implementation::set_history(ModelLog stored, TrainerHistory& history) {
  if (follows_model()) {
    if (recording_) {
      history.versions = recording_->log.versions;
    } else {
      absl::StatusOr<ModelLog> followed = read_model_log_file(options_.model_log);
      if (!followed.ok()) return followed.status();
      if (followed->versions.empty()) {
        return absl::InvalidArgumentError(
            fmt::format("--model-log {}: it holds no version", options_.model_log));
      }
      history.versions = std::move(followed->versions);
    }
    // The state directory holds all that its rows mean.
    std::vector<ModelLogRecord> records;
    for (const ModelVersion& version : history.versions) records.push_back(encode_version(version));
    return store_model_log(records);
  }
  history.versions = std::move(stored.versions);
  ContributionAssembler assembler;
  for (PartitionId p = 0; p < options_.lane.partition_count; ++p) {
    const absl::Status read = store_->scan(
        StoreKind::kContribution, p,
        [&](std::string_view key, std::string_view value) { return assembler.add(key, value); });
    if (!read.ok()) return read;
  }
  history.contributions = assembler.take();
  return absl::OkStatus();
}

absl::Status Replay::Implementation::open_trainer() {
  if (is_topic(options_.input)) {
    absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(options_.kafka);
    if (!topics.ok()) return topics.status();
    const absl::StatusOr<std::optional<int>> count =
        topics->partition_count(options_.kafka.input_topic);
    if (!count.ok()) return count.status();
    if (!*count)
      return absl::NotFoundError(fmt::format("there is no topic {}", options_.kafka.input_topic));
    options_.lane.partition_count = **count;
  }
  if (options_.recorded) {
    absl::StatusOr<Recording> recording = read_recording(options_.kafka);
    if (!recording.ok()) return recording.status();
    recording_ = *std::move(recording);
  }
  absl::StatusOr<ModelLog> stored = read_stored_log();
  if (!stored.ok()) return stored.status();
  TrainerHistory history;
  absl::Status status = set_rules(*stored);
  if (status.ok()) status = set_history(*std::move(stored), history);
  if (!status.ok()) return status;
  versions_ = history.versions;
  TrainerOptions trainer{.training = options_.training,
                         .partition_count = options_.lane.partition_count,
                         .publish = [this](std::span<const ModelLogRecord> records) {
                           return store_model_log(records);
                         }};
  const auto mode = follows_model() ? Trainer::Mode::kRecorded : Trainer::Mode::kTrain;
  trainer_ = std::make_unique<Trainer>(std::move(trainer), std::move(history), mode);
  return absl::OkStatus();
}

absl::Status Replay::Implementation::open_sink(const PartitionMeta& meta) {
  const std::uint64_t committed =
      meta.file_lengths[static_cast<std::size_t>(OutputTopic::kTransitions)];
  const bool wrote_nothing = meta.counters.transitions > 0 && committed == 0;
  if (options_.output_directory.empty() ? committed > 0 : wrote_nothing) {
    return absl::FailedPreconditionError(fmt::format(
        "state directory {}: what it did so far was {}; go on in the same way, or with another "
        "state directory",
        options_.state_directory,
        wrote_nothing ? "not written anywhere, and would be missing from the output"
                      : "written to an output directory, and what follows would be missing there"));
  }
  if (options_.output_directory.empty()) {
    sink_ = std::make_unique<NullSink>();
    return absl::OkStatus();
  }
  absl::StatusOr<std::unique_ptr<FileSink>> sink = FileSink::open(
      {.directory = options_.output_directory, .committed_lengths = meta.file_lengths});
  if (!sink.ok()) return sink.status();
  sink_ = *std::move(sink);
  return absl::OkStatus();
}

PartitionOptions Replay::Implementation::partition_options(PartitionId partition) const {
  PartitionOptions partition_options;
  partition_options.partition = partition;
  partition_options.schedule = options_.training.schedule;
  if (!rules_record_.go_live_time.empty()) {
    partition_options.go_live_time =
        TimeReader(std::chrono::minutes{0}).read(rules_record_.go_live_time);
  }
  const auto index = static_cast<std::size_t>(partition);
  if (index < rules_record_.go_live.size())
    partition_options.go_live_offset = rules_record_.go_live[index];
  if (recording_) {
    for (const Tick& tick : recording_->ticks[index]) {
      if (!options_.until || tick.time <= *options_.until) partition_options.ticks.push_back(tick);
    }
  }
  return partition_options;
}

absl::Status Replay::Implementation::make_lane() {
  LaneParts parts{.source = *source_,
                  .sink = *sink_,
                  .store = *store_,
                  .trainer = *trainer_,
                  .clock = clock_,
                  .on_transition =
                      [this](const Transition& t) {
                        if (on_transition_) on_transition_(t);
                      },
                  .on_contribution =
                      [this](const Contribution& c) {
                        if (on_contribution_) on_contribution_(c);
                      }};
  lane_ = std::make_unique<Lane>(options_.lane, options_.rules, options_.decoder, parts);
  for (PartitionId p = 0; p < options_.lane.partition_count; ++p) {
    const absl::StatusOr<Offset> restored = lane_->restore(partition_options(p), {});
    if (!restored.ok()) return restored.status();
    const PartitionMeta& meta = lane_->partitions().back()->meta();
    if (options_.until && meta.started && meta.watermark > *options_.until) {
      return absl::FailedPreconditionError(fmt::format(
          "--until {}: the state directory {} is at {} already", to_rfc3339(*options_.until),
          options_.state_directory, to_rfc3339(meta.watermark)));
    }
  }
  return absl::OkStatus();
}

// The position is in the store, and the source starts there.
absl::Status Replay::Implementation::open_file() {
  PartitionMeta meta;
  absl::Status status =
      store_->scan(StoreKind::kMeta, 0, [&](std::string_view, std::string_view bytes) {
        absl::StatusOr<PartitionMeta> read = decode_meta(bytes);
        if (!read.ok()) return read.status();
        meta = *std::move(read);
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  FileSourceOptions file{.path = options_.input,
                         .format = options_.format,
                         .received_ms = options_.received_ms.value_or(rules_record_.first_start_ms),
                         .start_offset = meta.next_offset,
                         .hint = std::nullopt,
                         .record_bytes_max = options_.decoder.record_bytes_max};
  absl::StatusOr<std::unique_ptr<FileSource>> source = FileSource::open(file);
  if (!source.ok()) return source.status();
  file_ = source->get();
  source_ = *std::move(source);
  options_.decoder.format = options_.format;
  options_.decoder.keys = KeyPolicy::kIfPresent;
  status = open_sink(meta);
  if (!status.ok()) return status;
  return make_lane();
}

absl::Status Replay::Implementation::open_topic() {
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(options_.kafka);
  if (!topics.ok()) return topics.status();
  const absl::StatusOr<std::vector<OffsetRange>> log = topics->ranges(options_.kafka.input_topic);
  if (!log.ok()) return log.status();
  PartitionMeta first;
  std::vector<PartitionRange> ranges;
  for (PartitionId p = 0; p < options_.lane.partition_count; ++p) {
    OffsetRange range = (*log)[static_cast<std::size_t>(p)];
    if (recording_)
      range.end = std::max(range.begin, recording_->ends[static_cast<std::size_t>(p)]);
    const absl::Status read =
        store_->scan(StoreKind::kMeta, p, [&](std::string_view, std::string_view bytes) {
          const absl::StatusOr<PartitionMeta> meta = decode_meta(bytes);
          if (!meta.ok()) return meta.status();
          range.begin = std::max(range.begin, meta->next_offset);
          if (p == 0) first = *meta;
          return absl::OkStatus();
        });
    if (!read.ok()) return read;
    ranges.push_back({p, range});
  }
  absl::StatusOr<std::unique_ptr<KafkaSource>> source = KafkaSource::over(options_.kafka, ranges);
  if (!source.ok()) return source.status();
  source_ = *std::move(source);
  options_.decoder.format = options_.format;
  options_.decoder.keys = KeyPolicy::kRequired;
  const absl::Status opened = open_sink(first);
  if (!opened.ok()) return opened;
  return make_lane();
}

bool Replay::Implementation::report(const std::function<bool(const ReplayProgress&)>& progress) {
  if (!progress || clock_.steady() - last_report_ < kProgressInterval) return true;
  last_report_ = clock_.steady();
  ReplayProgress now;
  now.records = lane_->counters().records;
  for (const Partition* p : lane_->partitions())
    now.event_time = std::max(now.event_time, p->meta().max_event_time);
  if (file_ != nullptr && file_->bytes_total() && *file_->bytes_total() > 0) {
    now.fraction =
        static_cast<double>(file_->bytes_read()) / static_cast<double>(*file_->bytes_total());
  }
  return progress(now);
}

absl::Status Replay::Implementation::run(
    const std::function<bool(const ReplayProgress&)>& progress) {
  bool reading = true;
  std::optional<EventTime> end = options_.until;
  while (true) {
    const std::int64_t announced = trainer_->announcements();
    absl::StatusOr<Lane::Activity> activity = reading ? lane_->step() : lane_->tick_all(end);
    if (!activity.ok()) return activity.status();
    if (!report(progress)) break;
    if (*activity == Lane::Activity::kBusy) continue;
    if (reading) {
      // Partitions that have nothing more to say must not hold up the others.
      const absl::Status idle = lane_->idle();
      if (!idle.ok()) return idle;
    }
    if (*activity == Lane::Activity::kWaiting) {
      trainer_->wait_announcement(announced, kProgressInterval);
      continue;
    }
    if (!reading) break;
    if (!lane_->at_end()) {  // A topic's records are still on their way.
      source_->wait(kProgressInterval);
      continue;
    }
    reading = false;
    if (!end && !recording_) {  // A recording has its own ticks.
      EventTime highest = kBeforeAll;
      for (const Partition* p : lane_->partitions())
        highest = std::max(highest, p->meta().max_event_time);
      if (highest == kBeforeAll) break;
      end = highest + options_.rules.lateness + options_.rules.settle;
    }
  }
  return finish();
}

absl::Status Replay::Implementation::finish() {
  absl::Status status = lane_->commit();
  if (status.ok()) status = trainer_->finish();
  if (!status.ok()) return status;
  if (!follows_model()) {
    absl::StatusOr<ModelLog> log = read_stored_log();
    if (!log.ok()) return log.status();
    versions_ = std::move(log->versions);
  }
  if (options_.output_directory.empty()) return absl::OkStatus();
  return write_model_log_file(options_.output_directory + "/model.jsonl",
                              {{rules_record_}, versions_});
}

absl::StatusOr<std::unique_ptr<Replay>> Replay::open(const ReplayOptions& options,
                                                     const Clock& clock) {
  auto implementation = std::make_unique<Implementation>(options, clock);
  const absl::Status opened = implementation->open();
  if (!opened.ok()) return opened;
  return std::unique_ptr<Replay>(new Replay(std::move(implementation)));
}

Replay::Replay(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Replay::~Replay() = default;

void Replay::on_transition(std::function<void(const Transition&)> callback) {
  implementation_->on_transition_ = std::move(callback);
}
void Replay::on_contribution(std::function<void(const Contribution&)> callback) {
  implementation_->on_contribution_ = std::move(callback);
}

absl::Status Replay::run(const std::function<bool(const ReplayProgress&)>& progress) {
  return implementation_->run(progress);
}

const Lane& Replay::lane() const { return *implementation_->lane_; }
const Rules& Replay::rules() const { return implementation_->options_.rules; }
const std::vector<ModelVersion>& Replay::versions() const { return implementation_->versions_; }

}  // namespace rfm
