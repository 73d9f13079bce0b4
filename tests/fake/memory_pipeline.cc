#include "tests/fake/memory_pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "stream/format/contribution_codec.h"

namespace rfm {
namespace {

constexpr std::int64_t kWallStart = 1'800'000'000'000;
constexpr std::chrono::milliseconds kModelWait{1000};

int partition_count(const MemoryWorld& world) { return static_cast<int>(world.input.size()); }

std::string comparable(const OutputRecord& record) {
  std::string text = record.key.value_or("(null)");
  for (const auto& [name, value] : record.headers) {
    text += fmt::format("|{}={}", name, value);
  }
  return text + "|" + record.value.value_or("(null)");
}

template <class Map>
std::string first_difference(std::string_view what, const Map& expected, const Map& actual) {
  for (const auto& [key, value] : expected) {
    const auto found = actual.find(key);
    if (found == actual.end()) return fmt::format("{} of {}: missing\n", what, key);
    if (found->second != value) return fmt::format("{} of {} differ\n", what, key);
  }
  for (const auto& [key, value] : actual) {
    if (!expected.contains(key)) return fmt::format("{} of {}: too many\n", what, key);
  }
  return {};
}

}  // namespace

MemoryPipeline::MemoryPipeline(MemoryWorld& world, PipelineOptions options)
    : world_(world), options_(std::move(options)), clock_(kWallStart), time_(clock_) {}

absl::Status MemoryPipeline::open_trainer() {
  TrainerHistory history{.rules = options_.later_rules, .versions = {}, .contributions = {}};
  const bool recorded = !options_.recorded.empty();
  if (recorded) {
    history.versions = options_.recorded;
  } else {
    absl::StatusOr<ModelLog> log = decode_model_log(world_.topics.model_log);
    if (!log.ok()) return log.status();
    history.versions = std::move(log->versions);
    for (; asked_ + 1 < log->rules.size(); ++asked_) {
      history.rules.push_back(options_.asked[asked_]);
      history.rules.back().record = log->rules[asked_ + 1];
    }
    ContributionAssembler assembler(partition_count(world_));
    for (const OutputRecord& record : world_.topics.records) {
      if (record.topic != OutputTopic::kContributions) continue;
      const absl::Status added = assembler.add(*record.key, *record.value);
      if (!added.ok()) return added;
    }
    auto contributions = assembler.take();
    if (!contributions.ok()) return contributions.status();
    history.contributions = *std::move(contributions);
  }
  TrainerOptions trainer{.training = options_.training, .partition_count = partition_count(world_)};
  if (world_.topics.model_log.empty()) trainer.first = options_.first;
  trainer_ = std::make_unique<Trainer>(trainer, world_.topics, std::move(history),
                                       recorded ? Trainer::Mode::kRecorded : Trainer::Mode::kTrain);
  return absl::OkStatus();
}

absl::StatusOr<Offset> MemoryPipeline::restore_partition(Lane& lane,
                                                         const PartitionOptions& partition) {
  absl::StatusOr<std::unique_ptr<PartitionRestore>> restored = lane.restore(partition);
  if (!restored.ok()) return restored.status();
  std::vector<OutputRecord> changelog;
  {
    const std::scoped_lock lock(world_.topics.mutex);
    changelog = world_.topics.changelog[partition.partition];
  }
  for (auto i = static_cast<std::size_t>((*restored)->meta().changelog_next); i < changelog.size();
       ++i) {
    const std::optional<FaultKind> fault = world_.faults.next(Seam::kChangelog);
    RecordView record;
    record.key = changelog[i].key;
    record.value = changelog[i].value;
    record.offset = static_cast<Offset>(i);
    const absl::Status applied =
        fault == FaultKind::kBefore ? absl::OkStatus() : (*restored)->apply(record);
    if (!applied.ok()) return applied;
    if (fault) return absl::UnavailableError("the changelog's broker is gone");
  }
  const absl::Status finished = (*restored)->finish();
  if (!finished.ok()) return finished;
  return lane.own(*std::move(restored));
}

absl::Status MemoryPipeline::restore() {
  if (options_.broker == BrokerSpeaks::kAtStart) time_.observe(clock_.true_ms());
  const absl::Status opened = open_trainer();
  if (!opened.ok()) return opened;
  const int count = partition_count(world_);
  const LaneOptions lane{.input_topic = "invoices",
                         .partition_count = count,
                         .commit_interval = options_.commit_interval,
                         .commit_interval_behind = options_.commit_interval,
                         .batch_records = options_.batch_records,
                         .piece_rows = options_.piece_rows,
                         .tick_idle = options_.tick_idle,
                         .until = options_.until,
                         .holds_at_end = options_.holds_at_end,
                         .output = options_.output,
                         .dead_letters = options_.dead_letters};
  for (int l = 0; l < options_.lanes; ++l) {
    LaneThread& thread = lanes_.emplace_back();
    thread.source =
        std::make_unique<MemorySource>(world_.input, options_.random_batches, world_.faults);
    thread.sink = std::make_unique<MemorySink>(world_.topics);
    const LaneParts parts{.source = *thread.source,
                          .sink = *thread.sink,
                          .store = world_.store,
                          .trainer = *trainer_,
                          .clock = clock_,
                          .time = &time_,
                          .stop = options_.stop,
                          .queries = options_.queries};
    thread.lane = std::make_unique<Lane>(lane, options_.rules, options_.decoder, parts);
  }
  for (PartitionId p = 0; p < count; ++p) {
    const absl::Status assigned = assign(lanes_[static_cast<std::size_t>(p % options_.lanes)], p);
    if (!assigned.ok()) return assigned;
  }
  for (LaneThread& thread : lanes_) thread.lane->answer_queries();
  return absl::OkStatus();
}

absl::Status MemoryPipeline::assign(LaneThread& thread, PartitionId p) {
  PartitionOptions partition;
  partition.partition = p;
  partition.schedule = options_.training.schedule;
  partition.go_live_offset = options_.go_live_offset;
  partition.first_start = options_.first_start;
  if (const auto ticks = options_.ticks.find(p); ticks != options_.ticks.end())
    partition.ticks = ticks->second;
  const absl::StatusOr<Offset> next = restore_partition(*thread.lane, partition);
  if (!next.ok()) return next.status();
  {
    const std::scoped_lock lock(world_.topics.mutex);
    const auto committed = world_.topics.positions.find(p);
    if (committed != world_.topics.positions.end() && committed->second.next_offset != *next)
      return absl::DataLossError("the state does not belong to the committed position");
  }
  thread.source->seek(p, *next);
  return absl::OkStatus();
}

void MemoryPipeline::ask_for_rules() {
  if (asked_ == options_.asked.size()) return;
  {
    const std::scoped_lock lock(world_.topics.mutex);
    if (world_.topics.model_log.size() < PipelineOptions::kAskedEvery * (asked_ + 1)) return;
  }
  trainer_->change_rules(options_.asked[asked_++]);
}

void MemoryPipeline::ask_for_held() {
  const std::shared_ptr<const ModelVersion> newest = trainer_->newest();
  if (options_.promotes && newest != nullptr && newest->held)
    (void)trainer_->promote(newest->held->epoch);
}

absl::StatusOr<Lane::Activity> MemoryPipeline::step() {
  ask_for_rules();
  ask_for_held();
  const std::int64_t announced = trainer_->announcements();
  auto together = Lane::Activity::kAtEnd;
  for (LaneThread& thread : lanes_) {
    const absl::StatusOr<Lane::Activity> activity = thread.lane->step();
    if (!activity.ok()) return activity.status();
    if (*activity == Lane::Activity::kBusy) {
      together = Lane::Activity::kBusy;
      continue;
    }
    if (*activity == Lane::Activity::kPaused) continue;
    const absl::Status idle = thread.lane->idle();
    if (!idle.ok()) return idle;
    if (*activity == Lane::Activity::kWaiting && together == Lane::Activity::kAtEnd)
      together = Lane::Activity::kWaiting;
  }
  clock_.pass(std::chrono::milliseconds{1});
  if (together == Lane::Activity::kWaiting &&
      std::ranges::none_of(partitions(), &Partition::is_unfinished))
    trainer_->wait_announcement(announced, kModelWait);
  return together;
}

absl::Status MemoryPipeline::run_to_held() {
  const auto is_held = [](const LaneThread& t) { return t.lane->at_end() || t.lane->is_held_up(); };
  while (true) {
    const absl::StatusOr<Lane::Activity> activity = step();
    if (!activity.ok()) return activity.status();
    if (*activity != Lane::Activity::kBusy && std::ranges::all_of(lanes_, is_held)) break;
  }
  const absl::Status committed = commit();
  return committed.ok() ? trainer_->finish() : committed;
}

absl::Status MemoryPipeline::run_to_end(std::optional<EventTime> until) {
  if (options_.holds_at_end) {
    const absl::Status held = run_to_held();
    if (!held.ok()) return held;
    for (LaneThread& thread : lanes_) thread.lane->pass_end();
  }
  while (true) {
    const absl::StatusOr<Lane::Activity> activity = step();
    if (!activity.ok()) return activity.status();
    if (*activity == Lane::Activity::kAtEnd) break;
  }
  if (!until && options_.ticks.empty()) {
    until = kBeforeAll;
    for (const Partition* p : partitions()) {
      if (p->meta().started) {
        until = std::max(
            *until, p->meta().max_event_time + options_.rules.lateness + options_.rules.settle);
      }
    }
  }
  for (bool waiting = true, busy = true; waiting || busy;) {
    waiting = busy = false;
    const std::int64_t announced = trainer_->announcements();
    for (LaneThread& thread : lanes_) {
      const absl::StatusOr<Lane::Activity> activity = thread.lane->tick_all(until);
      if (!activity.ok()) return activity.status();
      waiting |= *activity == Lane::Activity::kWaiting;
      busy |= *activity == Lane::Activity::kBusy;
      clock_.pass(std::chrono::milliseconds{1});
    }
    if (waiting && !busy) trainer_->wait_announcement(announced, kModelWait);
  }
  const absl::Status committed = commit();
  return committed.ok() ? trainer_->finish() : committed;
}

absl::Status MemoryPipeline::commit() {
  for (LaneThread& thread : lanes_) {
    const absl::Status committed = thread.lane->commit();
    if (!committed.ok()) return committed;
  }
  return absl::OkStatus();
}

std::vector<const Partition*> MemoryPipeline::partitions() const {
  std::vector<const Partition*> all;
  for (const LaneThread& thread : lanes_) {
    for (const Partition* partition : thread.lane->partitions()) all.push_back(partition);
  }
  return all;
}

OutcomeCounters MemoryPipeline::counters() const {
  OutcomeCounters sum;
  for (const LaneThread& thread : lanes_) sum.add(thread.lane->counters());
  return sum;
}

PipelineOutput output_of(MemoryWorld& world) {
  world.faults.end();
  PipelineOutput output;
  for (const OutputRecord& record : world.topics.records) {
    switch (record.topic) {
      case OutputTopic::kTransitions:
        output.transitions[*record.key].push_back(comparable(record));
        break;
      case OutputTopic::kSegments:
        output.segments.erase(*record.key);
        if (record.value) output.segments.emplace(*record.key, *record.value);
        break;
      case OutputTopic::kDeadLetters:
        output.dead_letters.push_back(comparable(record));
        break;
      case OutputTopic::kReceipts:
        output.receipts.push_back(comparable(record));
        break;
      default:
        break;
    }
  }
  std::sort(output.dead_letters.begin(), output.dead_letters.end());
  std::sort(output.receipts.begin(), output.receipts.end());
  output.model_log = world.topics.model_log;
  for (PartitionId p = 0; p < partition_count(world); ++p) {
    (void)world.store.scan(StoreKind::kMeta, p, [&](std::string_view, std::string_view bytes) {
      const absl::StatusOr<PartitionMeta> meta = decode_meta(bytes);
      if (meta.ok()) output.counters.add(meta->counters);
      return meta.status();
    });
    (void)world.store.scan(StoreKind::kRow, p, [&](std::string_view key, std::string_view bytes) {
      output.rows.emplace(key, bytes);
      return absl::OkStatus();
    });
    (void)world.store.scan(StoreKind::kBook, p, [&](std::string_view key, std::string_view bytes) {
      output.books.emplace(fmt::format("{}/{}", p, key), bytes);
      return absl::OkStatus();
    });
  }
  return output;
}

std::string difference(const PipelineOutput& expected, const PipelineOutput& actual) {
  std::string text = first_difference("transitions", expected.transitions, actual.transitions);
  for (const auto& [customer, lines] : expected.transitions) {
    const auto found = actual.transitions.find(customer);
    if (found == actual.transitions.end() || found->second == lines) continue;
    const auto [a, b] =
        std::mismatch(lines.begin(), lines.end(), found->second.begin(), found->second.end());
    text += "expected " + (a == lines.end() ? "nothing" : *a) + "\nactual   " +
            (b == found->second.end() ? "nothing" : *b) + "\n";
    break;
  }
  text += first_difference("current segments", expected.segments, actual.segments);
  text += first_difference("stored row", expected.rows, actual.rows);
  text += first_difference("cell of the books", expected.books, actual.books);
  if (expected.dead_letters != actual.dead_letters) text += "dead letters differ\n";
  if (expected.receipts != actual.receipts) text += "receipts differ\n";
  if (expected.model_log != actual.model_log) {
    const auto [a, b] = std::mismatch(expected.model_log.begin(), expected.model_log.end(),
                                      actual.model_log.begin(), actual.model_log.end());
    text += fmt::format("model logs of {} and {} records differ\nexpected {}\nactual   {}\n",
                        expected.model_log.size(), actual.model_log.size(),
                        a == expected.model_log.end() ? "nothing" : a->value,
                        b == actual.model_log.end() ? "nothing" : b->value);
  }
  if (expected.counters != actual.counters) text += "counters differ\n";
  return text;
}

}  // namespace rfm
