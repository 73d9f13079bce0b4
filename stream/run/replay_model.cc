#include "stream/run/replay_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "stream/file/model_log_file.h"
#include "stream/format/contribution_codec.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

// Versions belong to the rules they were trained under. How the input is written is another matter.
absl::Status check_followed_rules(const ReplayOptions& options, const RulesRecord& rules) {
  std::map<std::string, std::string> logged = rules.settings;
  for (const auto& [key, value] : options.semantic) {
    if (key.starts_with("input.")) logged[key] = value;
  }
  return options.rules_check->check_rules(logged);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ReplayModel>> ReplayModel::open(const ReplayOptions& options,
                                                               StateStore& store,
                                                               const Clock& clock) {
  std::unique_ptr<ReplayModel> model(new ReplayModel(store));
  if (options.recorded) {
    absl::StatusOr<Recording> recording = read_recording(options.kafka);
    if (!recording.ok()) return recording.status();
    model->recording_ = *std::move(recording);
  }
  const absl::StatusOr<std::vector<ModelLogRecord>> kept = read_model_log(store);
  if (!kept.ok()) return kept.status();
  absl::StatusOr<ModelLog> stored = decode_model_log(*kept);
  if (!stored.ok()) return stored.status();
  const absl::Status ruled = model->set_rules(options, *stored, clock);
  if (!ruled.ok()) return ruled;
  const bool follows = options.recorded || !options.model_log.empty();
  absl::StatusOr<TrainerHistory> history;
  if (options.recorded) {
    history = model->follow(model->recording_->log.versions, *kept);
  } else if (follows) {
    absl::StatusOr<ModelLog> log = read_model_log_file(options.model_log);
    if (!log.ok()) return log.status();
    if (log->versions.empty()) {
      return absl::InvalidArgumentError(
          fmt::format("--model-log {}: it holds no version", options.model_log));
    }
    if (!log->rules.empty()) {
      const absl::Status same = check_followed_rules(options, log->rules.back());
      if (!same.ok()) return same;
    }
    history = model->follow(std::move(log->versions), *kept);
  } else {
    history = model->go_on(std::move(stored->versions), options.lane.partition_count);
  }
  if (!history.ok()) return history.status();
  const TrainerOptions trainer{.training = options.training,
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

absl::Status ReplayModel::set_rules(const ReplayOptions& options, const ModelLog& stored,
                                    const Clock& clock) {
  const std::string go_live_time = options.go_live ? to_rfc3339(*options.go_live) : "";
  if (!stored.rules.empty()) {
    rules_ = stored.rules.back();
  } else if (recording_) {
    rules_ = recording_->log.rules.back();
  } else {
    rules_ = {.settings = options.semantic,
              .go_live = {},
              .go_live_time = go_live_time,
              .first_start_ms = options.received_ms.value_or(clock.wall_ms())};
  }
  const absl::Status same = options.rules_check->check_rules(rules_.settings);
  if (!same.ok()) return same;
  begins_ = stored.rules.empty();
  if (begins_) {
    first_ = {encode_rules(rules_)};
    return absl::OkStatus();
  }
  if (options.received_ms && *options.received_ms != rules_.first_start_ms) {
    return absl::InvalidArgumentError(
        fmt::format("--received-at: the state directory {} was begun with {}; it cannot be changed",
                    options.state_directory, to_rfc3339(from_ms(rules_.first_start_ms))));
  }
  if (!options.go_live || go_live_time == rules_.go_live_time) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("--go-live: the state directory {} was begun {}{}; it cannot be changed",
                  options.state_directory, rules_.go_live_time.empty() ? "without it" : "with ",
                  rules_.go_live_time));
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
