#include "stream/run/replay_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "stream/file/model_log_file.h"
#include "stream/format/contribution_codec.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

// How the input is written is another matter.
std::map<std::string, std::string> with_input_of(const std::map<std::string, std::string>& given,
                                                 std::map<std::string, std::string> settings) {
  for (const auto& [key, value] : given)
    if (key.starts_with("input.")) settings[key] = value;
  return settings;
}

absl::StatusOr<ModelLog> log_to_follow(const ReplayOptions& options) {
  absl::StatusOr<ModelLog> log = read_model_log_file(options.model_log);
  if (!log.ok()) return log;
  if (log->versions.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("--model-log {}: it holds no version", options.model_log));
  }
  if (log->rules.empty()) return log;
  // Versions belong to the rules they were trained under.
  for (RulesRecord& rules : log->rules)
    rules.settings = with_input_of(options.semantic, std::move(rules.settings));
  const absl::Status same = options.rules_reader->check_rules(log->rules.back().settings);
  if (!same.ok()) return same;
  log->rules.back().settings = options.semantic;
  return log;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ReplayModel>> ReplayModel::open(const ReplayOptions& options,
                                                               StateStore& store,
                                                               const Clock& clock) {
  std::unique_ptr<ReplayModel> model(new ReplayModel(store));
  absl::StatusOr<ModelLog> followed{ModelLog{}};
  if (options.recorded) {
    absl::StatusOr<Recording> recording = read_recording(options.kafka);
    if (!recording.ok()) return recording.status();
    model->recording_ = *std::move(recording);
    followed = model->recording_->log;
  } else if (!options.model_log.empty()) {
    followed = log_to_follow(options);
    if (!followed.ok()) return followed.status();
  }
  const absl::StatusOr<std::vector<ModelLogRecord>> kept = read_model_log(store);
  if (!kept.ok()) return kept.status();
  absl::StatusOr<ModelLog> stored = decode_model_log(*kept);
  if (!stored.ok()) return stored.status();
  const absl::Status ruled = model->set_rules(options, stored->rules, followed->rules, clock);
  if (!ruled.ok()) return ruled;
  const bool follows = !followed->versions.empty() || options.recorded;
  absl::StatusOr<TrainerHistory> history =
      follows ? model->follow(std::move(followed->versions), *kept)
              : model->go_on(std::move(stored->versions), options.lane.partition_count);
  if (!history.ok()) return history.status();
  history->rules = model->history_.later;
  const TrainerOptions trainer{.training = model->history_.first.training,
                               .partition_count = options.lane.partition_count,
                               .first = model->first_};
  model->trainer_ =
      std::make_unique<Trainer>(trainer, *model, *std::move(history),
                                follows ? Trainer::Mode::kRecorded : Trainer::Mode::kTrain);
  return model;
}

absl::StatusOr<ModelLog> ReplayModel::log() const {
  const absl::StatusOr<std::vector<ModelLogRecord>> records = read_model_log(store_);
  if (!records.ok()) return records.status();
  return decode_model_log(*records);
}

absl::Status ReplayModel::publish(std::span<const ModelLogRecord> records) {
  std::vector<StoreWrite> writes;
  for (const ModelLogRecord& record : records)
    writes.push_back({StoreKind::kModelLog, 0, record.key, record.value});
  return store_.write(writes);
}

absl::Status ReplayModel::set_rules(const ReplayOptions& options,
                                    std::span<const RulesRecord> stored,
                                    std::span<const RulesRecord> followed, const Clock& clock) {
  begins_ = stored.empty();
  if (!begins_) {
    rules_.assign(stored.begin(), stored.end());
  } else if (recording_) {
    rules_ = {followed.front()};
  } else {
    rules_ = {{.settings = options.semantic,
               .go_live = {},
               .go_live_time = options.go_live ? to_rfc3339(*options.go_live) : "",
               .first_start_ms = options.received_ms.value_or(clock.wall_ms())}};
    if (!followed.empty()) rules_.front().settings = followed.front().settings;
  }
  for (std::size_t i = 1; i < std::min(followed.size(), rules_.size()); ++i) {
    if (followed[i].effective_epoch == rules_[i].effective_epoch &&
        with_input_of(options.semantic, followed[i].settings) ==
            with_input_of(options.semantic, rules_[i].settings))
      continue;
    return absl::FailedPreconditionError(fmt::format(
        "the state directory was begun with another model log, which differs at rules/{}: go on "
        "with that one, or with another state directory",
        i + 1));
  }
  // What is followed may have gone on.
  for (const RulesRecord& next : followed.subspan(std::min(followed.size(), rules_.size()))) {
    RulesRecord record = rules_.front();
    record.version = next.version;
    record.effective_epoch = next.effective_epoch;
    record.settings = next.settings;
    rules_.push_back(std::move(record));
  }
  const absl::Status same = options.rules_reader->check_rules(rules_.back().settings);
  if (!same.ok()) return same;
  absl::StatusOr<RulesHistory> history = read_rules_history(rules_, *options.rules_reader);
  if (!history.ok()) return history.status();
  history_ = *std::move(history);
  std::vector<ModelLogRecord> records;
  for (const RulesRecord& record : std::span(rules_).subspan(stored.size()))
    records.push_back(encode_rules(record));
  if (!begins_) {
    const absl::Status fixed = check_fixed(options);
    return fixed.ok() && !records.empty() ? publish(records) : fixed;
  }
  first_ = std::move(records);
  return absl::OkStatus();
}

// What is said of a state directory once.
absl::Status ReplayModel::check_fixed(const ReplayOptions& options) const {
  if (options.received_ms && *options.received_ms != rules().first_start_ms) {
    return absl::InvalidArgumentError(
        fmt::format("--received-at: the state directory {} was begun with {}; it cannot be changed",
                    options.state_directory, to_rfc3339(from_ms(rules().first_start_ms))));
  }
  const std::string& go_live_time = rules().go_live_time;
  if (!options.go_live || to_rfc3339(*options.go_live) == go_live_time) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "--go-live: the state directory {} was begun {}{}; it cannot be changed",
      options.state_directory, go_live_time.empty() ? "without it" : "with ", go_live_time));
}

absl::StatusOr<TrainerHistory> ReplayModel::follow(std::vector<ModelVersion> versions,
                                                   std::span<const ModelLogRecord> stored) {
  std::map<std::string, std::string> before;
  for (const ModelLogRecord& record : stored) before.emplace(record.key, record.value);
  std::vector<ModelLogRecord> records;
  for (const ModelVersion& version : versions) {
    ModelLogRecord record = encode_version(version);
    const auto found = before.find(record.key);
    if (found != before.end() && found->second != record.value) {
      return absl::FailedPreconditionError(fmt::format(
          "the state directory was begun with another model log, which differs at {}: go on with "
          "that one, or with another state directory",
          record.key));
    }
    records.push_back(std::move(record));
  }
  if (begins_) {
    first_.insert(first_.end(), records.begin(), records.end());
  } else if (const absl::Status written = publish(records); !written.ok()) {
    return written;
  }
  return TrainerHistory{.versions = std::move(versions), .contributions = {}};
}

absl::StatusOr<TrainerHistory> ReplayModel::go_on(std::vector<ModelVersion> versions,
                                                  int partition_count) {
  ContributionAssembler assembler(partition_count);
  for (PartitionId p = 0; p < partition_count; ++p) {
    const absl::Status read = store_.scan(
        StoreKind::kContribution, p,
        [&](std::string_view key, std::string_view value) { return assembler.add(key, value); });
    if (!read.ok()) return read;
  }
  auto contributions = assembler.take();
  if (!contributions.ok()) return contributions.status();
  return TrainerHistory{.versions = std::move(versions),
                        .contributions = *std::move(contributions)};
}

}  // namespace rfm
