#include "stream/run/rules_reader.h"

#include <fmt/format.h>

#include <utility>

namespace rfm {
namespace {

absl::StatusOr<ReadRules> read_version(const RulesRecord& record, RulesReader& reader) {
  absl::StatusOr<ReadRules> read = reader.read_rules(record.settings);
  if (!read.ok()) {
    return absl::Status(read.status().code(), fmt::format("rules/{}: {}", record.version,
                                                          std::string(read.status().message())));
  }
  read->rules.version = record.version;
  return read;
}

// What follows `history`.
absl::StatusOr<LaterRules> read_later_rules(const RulesHistory& history, const RulesRecord& record,
                                            RulesReader& reader) {
  absl::StatusOr<ReadRules> read = read_version(record, reader);
  if (!read.ok()) return read.status();
  read->rules.segmentations.continue_cut_specs(history.training().cut_specs);
  const std::span<const CutSpec> specs = read->rules.segmentations.cut_specs();
  read->training.cut_specs.assign(specs.begin(), specs.end());
  return LaterRules{.record = record,
                    .rules = std::make_shared<const Rules>(std::move(read->rules)),
                    .training = std::move(read->training)};
}

}  // namespace

absl::StatusOr<RulesHistory> read_rules_history(std::span<const RulesRecord> records,
                                                RulesReader& reader) {
  absl::StatusOr<ReadRules> first = read_version(records.front(), reader);
  if (!first.ok()) return first.status();
  RulesHistory history{.first = *std::move(first), .later = {}};
  for (const RulesRecord& record : records.subspan(1)) {
    absl::StatusOr<LaterRules> later = read_later_rules(history, record, reader);
    if (!later.ok()) return later.status();
    history.later.push_back(*std::move(later));
  }
  return history;
}

absl::StatusOr<LaterRules> next_rules(const RulesHistory& history, const RulesRecord& newest,
                                      const RulesRequest& request, RulesReader& reader) {
  if (request.base != newest.version) {
    return absl::FailedPreconditionError(fmt::format(
        "it is to follow rules version {}, and the newest is {}", request.base, newest.version));
  }
  const absl::Status can = reader.check_change(newest.settings, request.settings);
  if (!can.ok()) return can;
  RulesRecord record = newest;
  record.version = newest.version + 1;
  record.effective_epoch.reset();
  record.settings = request.settings;
  return read_later_rules(history, record, reader);
}

}  // namespace rfm
