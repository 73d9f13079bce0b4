#include "stream/run/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "state/hashes.h"
#include "state/rocksdb_state_store.h"
#include "stream/file/file_sink.h"
#include "stream/file/file_source.h"
#include "stream/file/model_log_file.h"
#include "stream/kafka/kafka_source.h"
#include "stream/kafka/kafka_topics.h"
#include "stream/record/null_sink.h"
#include "stream/run/recording.h"
#include "stream/run/replay_model.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

using FileLengths = std::array<std::uint64_t, kOutputTopicCount>;

constexpr std::chrono::milliseconds kProgressInterval{100};

bool is_topic(const std::string& input) { return input.starts_with(kKafkaScheme); }

// Of the first record; 0: there is none, or it can be read only once.
absl::StatusOr<std::uint64_t> mark_of(const FileSourceOptions& file) {
  std::error_code unknown;
  if (!std::filesystem::is_regular_file(file.path, unknown)) return 0;
  const absl::StatusOr<std::unique_ptr<FileSource>> source =
      FileSource::open({.path = file.path,
                        .format = file.format,
                        .record_bytes_max = file.record_bytes_max,
                        .csv = file.csv,
                        .holds_unfinished = true});
  if (!source.ok()) return source.status();
  const absl::StatusOr<std::span<const RecordView>> first = (*source)->read(0, 1);
  if (!first.ok()) return first.status();
  return first->empty() ? 0 : record_hash(first->front().value.value_or(""));
}

}  // namespace

class Replay::Implementation {
 public:
  Implementation(ReplayOptions options, const Clock& clock)
      : options_(std::move(options)), clock_(clock), review_(options_.format) {}

  absl::Status open();
  absl::Status run(const std::function<bool(const ReplayProgress&)>& progress);

 private:
  friend class Replay;

  absl::Status open_model();
  absl::Status open_sink(std::uint64_t transitions, const FileLengths& lengths);
  absl::StatusOr<OffsetRange> range_of(PartitionId partition, OffsetRange log, Offset next) const;
  absl::Status open_file();
  absl::Status open_topic();
  PartitionOptions partition_options(PartitionId partition) const;
  absl::Status make_lane();
  absl::Status go_back();
  absl::Status pass_end();
  std::optional<EventTime> end_time() const;
  // That it has read all that was recorded.
  absl::Status check_whole() const;
  absl::Status finish();
  bool report(const std::function<bool(const ReplayProgress&)>& progress);

  ReplayOptions options_;
  const Clock& clock_;
  std::unique_ptr<RocksdbStateStore> store_;
  std::unique_ptr<EventSource> source_;
  FileSource* file_ = nullptr;
  InputReview review_;
  CustomerPlaces places_;
  std::unique_ptr<OutputSink> sink_;
  std::unique_ptr<ReplayModel> model_;
  std::unique_ptr<Lane> lane_;
  std::vector<ModelVersion> versions_;
  bool passed_end_ = false;
  std::chrono::steady_clock::time_point last_report_{};
};

absl::Status Replay::Implementation::open() {
  absl::StatusOr<std::unique_ptr<RocksdbStateStore>> store =
      open_rocksdb_store({.directory = options_.state_directory});
  if (absl::IsDataLoss(store.status())) {
    return absl::DataLossError(fmt::format("{}\nA replay can begin anew without the directory.",
                                           std::string(store.status().message())));
  }
  if (!store.ok()) return store.status();
  store_ = *std::move(store);
  if (is_topic(options_.input)) return open_topic();
  if (options_.recorded) {
    return absl::InvalidArgumentError(
        "--recorded: what an application has recorded belongs to its topic: --input kafka:TOPIC");
  }
  return open_file();
}

absl::Status Replay::Implementation::open_model() {
  absl::StatusOr<std::unique_ptr<ReplayModel>> model = ReplayModel::open(options_, *store_, clock_);
  if (!model.ok()) return model.status();
  model_ = *std::move(model);
  return absl::OkStatus();
}

// `transitions` and `lengths`: what the state has seen go out.
absl::Status Replay::Implementation::open_sink(std::uint64_t transitions,
                                               const FileLengths& lengths) {
  const std::uint64_t committed = lengths[static_cast<std::size_t>(OutputTopic::kTransitions)];
  const bool wrote_nothing = transitions > 0 && committed == 0;
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
  absl::StatusOr<std::unique_ptr<FileSink>> sink =
      FileSink::open({.directory = options_.output_directory,
                      .committed_lengths = lengths,
                      .begins = model_->begins()});
  if (!sink.ok()) return sink.status();
  sink_ = *std::move(sink);
  return absl::OkStatus();
}

PartitionOptions Replay::Implementation::partition_options(PartitionId partition) const {
  PartitionOptions partition_options;
  partition_options.partition = partition;
  partition_options.schedule = options_.schedule;
  const RulesRecord& rules = model_->rules();
  if (!rules.go_live_time.empty()) {
    partition_options.go_live_time = TimeReader(std::chrono::minutes{0}).read(rules.go_live_time);
  }
  const auto index = static_cast<std::size_t>(partition);
  if (index < rules.go_live.size()) {
    partition_options.go_live_offset = rules.go_live[index];
    partition_options.first_start = from_ms(rules.first_start_ms);
  }
  if (model_->recording()) partition_options.ticks = model_->recording()->ticks[index];
  return partition_options;
}

absl::Status Replay::Implementation::make_lane() {
  LaneParts parts{.source = *source_,
                  .sink = *sink_,
                  .store = *store_,
                  .trainer = model_->trainer(),
                  .clock = clock_,
                  .places = &places_};
  options_.lane.until = options_.until;
  options_.lane.holds_at_end = true;
  lane_ =
      std::make_unique<Lane>(options_.lane, model_->history().first.rules, options_.decoder, parts);
  for (PartitionId p = 0; p < options_.lane.partition_count; ++p) {
    absl::StatusOr<std::unique_ptr<PartitionRestore>> restored =
        lane_->restore(partition_options(p));
    if (!restored.ok()) return restored.status();
    const absl::StatusOr<Offset> owned = lane_->own(*std::move(restored));
    if (!owned.ok()) return owned.status();
    const PartitionMeta& meta = lane_->partitions().back()->meta();
    if (!options_.until || !meta.started) continue;
    // Of the log: what an earlier replay did at its end is none of it.
    const EventTime reached = std::max(meta.watermark, meta.moving_to);
    if (meta.max_event_time >= *options_.until || reached > *options_.until) {
      return absl::FailedPreconditionError(
          fmt::format("--until {}: the state directory {} has read records up to {} already; "
                      "this needs another one",
                      to_rfc3339(*options_.until), options_.state_directory,
                      to_rfc3339(std::max(meta.max_event_time, reached))));
    }
  }
  return absl::OkStatus();
}

// The position is in the store, and the source starts there.
absl::Status Replay::Implementation::open_file() {
  absl::Status status = open_model();
  if (!status.ok()) return status;
  const absl::StatusOr<std::optional<PartitionMeta>> stored = read_meta(*store_, 0);
  if (!stored.ok()) return stored.status();
  const PartitionMeta meta = stored->value_or(PartitionMeta());
  FileSourceOptions file{.path = options_.input,
                         .beginning = std::move(options_.input_beginning),
                         .format = options_.format,
                         .received_ms = model_->rules().first_start_ms,
                         .start_offset = meta.next_offset,
                         .record_bytes_max = options_.decoder.record_bytes_max,
                         .csv = options_.decoder.csv,
                         .holds_unfinished = true};
  const absl::StatusOr<std::uint64_t> mark = mark_of(file);
  if (!mark.ok()) return mark.status();
  options_.lane.input_mark = *mark;
  absl::StatusOr<std::unique_ptr<FileSource>> source = FileSource::open(file);
  if (!source.ok()) return source.status();
  file_ = source->get();
  options_.decoder.csv_layout = file_->csv_layout();
  options_.decoder.review = &review_;
  source_ = *std::move(source);
  options_.decoder.format = options_.format;
  options_.decoder.keys = KeyPolicy::kIfPresent;
  status = open_sink(meta.counters.transitions, meta.file_lengths);
  if (!status.ok()) return status;
  return make_lane();
}

// What is to be read of a partition that goes on from `next` (0: begins).
absl::StatusOr<OffsetRange> Replay::Implementation::range_of(PartitionId partition, OffsetRange log,
                                                             Offset next) const {
  if (next > log.end || (next > 0 && next < log.begin)) {
    return absl::FailedPreconditionError(fmt::format(
        "partition {} of {}: the state directory {} goes on from offset {}, but the log holds {} "
        "to {}",
        partition, options_.kafka.input_topic, options_.state_directory, next, log.begin, log.end));
  }
  OffsetRange range{.begin = std::max(log.begin, next), .end = log.end};
  if (const std::optional<Recording>& recording = model_->recording()) {
    const auto index = static_cast<std::size_t>(partition);
    const Offset begin = recording->begins[index];
    if (next == 0 && log.begin > begin && recording->ends[index] > begin) {
      return not_whole(fmt::format(
          "partition {} of {} begins at offset {}, but the application began to read at {}",
          partition, options_.kafka.input_topic, log.begin, begin));
    }
    range.end = std::max(range.begin, recording->ends[index]);
  }
  return range;
}

absl::Status Replay::Implementation::open_topic() {
  if (options_.format == InputFormat::kCsv) {
    return absl::InvalidArgumentError(
        "the format csv is for files: a topic holds lines or invoices (--format)");
  }
  const std::string topic = options_.input.substr(kKafkaScheme.size());
  options_.kafka.input_topic = topic;
  options_.lane.input_topic = topic;
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(options_.kafka);
  if (!topics.ok()) return topics.status();
  const absl::StatusOr<std::optional<int>> count = topics->partition_count(topic);
  if (!count.ok()) return count.status();
  if (!*count) return absl::NotFoundError(fmt::format("there is no topic {}", topic));
  options_.lane.partition_count = **count;
  absl::Status status = Decoder::check_partitions(options_.decoder, **count);
  if (!status.ok()) return status;
  status = open_model();
  if (!status.ok()) return status;
  const absl::StatusOr<std::vector<OffsetRange>> log = topics->ranges(topic);
  if (!log.ok()) return log.status();
  std::uint64_t transitions = 0;
  FileLengths lengths{};
  std::vector<PartitionRange> ranges;
  for (PartitionId p = 0; p < options_.lane.partition_count; ++p) {
    const absl::StatusOr<std::optional<PartitionMeta>> stored = read_meta(*store_, p);
    if (!stored.ok()) return stored.status();
    const PartitionMeta meta = stored->value_or(PartitionMeta());
    const absl::StatusOr<OffsetRange> range =
        range_of(p, (*log)[static_cast<std::size_t>(p)], meta.next_offset);
    if (!range.ok()) return range.status();
    ranges.push_back({p, *range});
    transitions += meta.counters.transitions;
    if (p == 0) lengths = meta.file_lengths;
  }
  absl::StatusOr<std::unique_ptr<KafkaSource>> source = KafkaSource::over(options_.kafka, ranges);
  if (!source.ok()) return source.status();
  source_ = *std::move(source);
  options_.decoder.format = options_.format;
  options_.decoder.keys = KeyPolicy::kRequired;
  status = open_sink(transitions, lengths);
  if (!status.ok()) return status;
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

// To the state and the output that the log alone explains, as far as they are committed.
absl::Status Replay::Implementation::go_back() {
  sink_->abandon();
  return store_->drop_branch();
}

// What follows is done because the input ends, or because records are left out: none of it would be
// if the log went on. So it is done to a branch of the state, and to the ends of the output files
// that only the branch knows of; a replay that goes on goes on from before it.
absl::Status Replay::Implementation::pass_end() {
  passed_end_ = true;
  absl::Status status = lane_->commit();
  if (status.ok() && options_.keeps_state) status = store_->branch();
  if (!status.ok()) return status;
  if (file_ != nullptr) file_->take_unfinished();
  lane_->pass_end();
  return absl::OkStatus();
}

// Where the clocks are moved to. Absent: nowhere; a recording has its own ticks.
std::optional<EventTime> Replay::Implementation::end_time() const {
  if (options_.until || model_->recording()) return options_.until;
  EventTime highest = kBeforeAll;
  for (const Partition* p : lane_->partitions())
    highest = std::max(highest, p->meta().max_event_time);
  if (highest == kBeforeAll) return std::nullopt;
  const Rules& rules = model_->history().first.rules;
  return highest + rules.lateness + rules.settle;
}

absl::Status Replay::Implementation::run(
    const std::function<bool(const ReplayProgress&)>& progress) {
  if (const absl::Status back = go_back(); !back.ok()) return back;
  bool reading = true;
  while (true) {
    const std::int64_t announced = model_->trainer().announcements();
    absl::StatusOr<Lane::Activity> activity = reading ? lane_->step() : lane_->tick_all(end_time());
    if (!activity.ok()) return activity.status();
    if (const absl::Status misread = review_.status(); !misread.ok()) return misread;
    if (!report(progress)) break;
    if (*activity == Lane::Activity::kBusy) continue;
    if (const std::optional<std::string> why = reading ? lane_->held_back() : std::nullopt) {
      if (passed_end_) {
        // Where a header was read, the format is right.
        return absl::InvalidArgumentError(options_.format == InputFormat::kCsv
                                              ? *why
                                              : *why + "\nIs the input written as --format says?");
      }
      // What the end makes a record of may be better.
      if (const absl::Status passed = pass_end(); !passed.ok()) return passed;
      continue;
    }
    if (reading) {
      if (const absl::Status idle = lane_->idle(); !idle.ok()) return idle;
      if (!passed_end_ && (lane_->at_end() || lane_->is_held_up())) {
        if (const absl::Status passed = pass_end(); !passed.ok()) return passed;
        continue;
      }
    }
    if (*activity == Lane::Activity::kWaiting) {
      model_->trainer().wait_announcement(announced, kProgressInterval);
    } else if (!reading) {
      break;
    } else if (lane_->at_end()) {
      if (const absl::Status whole = check_whole(); !whole.ok()) return whole;
      reading = false;
    } else {  // A topic's records are still on their way.
      source_->wait(kProgressInterval);
    }
  }
  return finish();
}

// What was compacted away leaves no other trace.
absl::Status Replay::Implementation::check_whole() const {
  if (!model_->recording() || options_.until) return absl::OkStatus();
  for (const Partition* p : lane_->partitions()) {
    const std::uint64_t recorded = model_->recording()->records[static_cast<std::size_t>(p->id())];
    if (p->meta().counters.records == recorded) continue;
    return not_whole(fmt::format("partition {} of {} holds {} records of the {} that it read",
                                 p->id(), options_.kafka.input_topic, p->meta().counters.records,
                                 recorded));
  }
  return absl::OkStatus();
}

absl::Status Replay::Implementation::finish() {
  absl::Status status = lane_->commit();
  if (status.ok()) status = model_->trainer().finish();
  if (!status.ok()) return status;
  absl::StatusOr<ModelLog> log = model_->log();
  if (!log.ok()) return log.status();
  versions_ = log->versions;
  if (options_.output_directory.empty()) return absl::OkStatus();
  return write_model_log_file(options_.output_directory + "/model.jsonl", *log);
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

void Replay::observe(LaneObserver& observer) { implementation_->lane_->observe(observer); }

absl::Status Replay::run(const std::function<bool(const ReplayProgress&)>& progress) {
  return implementation_->run(progress);
}

std::string Replay::input_found() const {
  const bool is_csv = implementation_->options_.format == InputFormat::kCsv;
  return is_csv ? implementation_->file_->csv_found() : "";
}
InputReview& Replay::review() { return implementation_->review_; }
SplitCustomers Replay::split_customers() const { return implementation_->places_.split(); }
const Lane& Replay::lane() const { return *implementation_->lane_; }
const Rules& Replay::rules() const { return implementation_->model_->history().newest_rules(); }
const std::vector<ModelVersion>& Replay::versions() const { return implementation_->versions_; }

}  // namespace rfm
