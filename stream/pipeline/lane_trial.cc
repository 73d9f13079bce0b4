// Whether the input is worth reading: before a first record is applied, and later.
#include <fmt/format.h>

#include <string>
#include <utility>

#include "stream/pipeline/lane.h"

namespace rfm {
namespace {

// So many records that are all dead letters say that the settings are wrong.
constexpr std::size_t kTrialRecordsMax = 100;

}  // namespace

// Nothing is committed before a first record can be used: a wrong setting would stay for ever, with
// records that are behind it. So records are only looked at, and kept until one can. Absent: the
// model log has begun, and they go the usual way.
absl::StatusOr<std::optional<Lane::Activity>> Lane::try_input() {
  if (!parts_.trainer.begun()) {
    if (!paused_.empty()) return Activity::kPaused;
    bool is_usable = options_.dead_letters.action == DeadLetterOptions::Action::kContinue;
    bool busy = false;
    for (const auto& p : partitions_) {
      if (held_records() == kTrialRecordsMax) break;
      const absl::StatusOr<std::span<const RecordView>> read =
          parts_.source.read(p->id(), kTrialRecordsMax - held_records());
      if (!read.ok()) return read.status();
      for (const RecordView& record : *read) {
        p->held.add(record);
        const std::optional<Rejection> refusal =
            p->partition.refusal(record, decode(record, p->id()));
        if (refusal) p->last_dead_letter = example_of(p->id(), record, *refusal);
        is_usable |= !refusal;
        busy = true;
      }
    }
    const bool is_full = held_records() == kTrialRecordsMax;
    if (held_records() == 0 || (!is_usable && !is_full))
      return busy ? Activity::kBusy : Activity::kAtEnd;
    if (!is_usable) {
      const absl::Status judged = judge_dead_letters(
          fmt::format("the first {} records are dead letters, and nothing is committed: with other "
                      "settings (input.format) it begins anew",
                      kTrialRecordsMax));
      if (!judged.ok()) return judged;
      if (!paused_.empty()) return Activity::kPaused;
    }
    const absl::Status begun = parts_.trainer.begin();
    if (!begun.ok()) return begun;
  }
  trial_over_ = true;
  paused_.clear();
  for (const auto& p : partitions_) {
    if (p->held.size() == 0) continue;
    p->batch = p->held.views();
    note_read(*p);
  }
  return std::nullopt;
}

std::size_t Lane::held_records() const {
  std::size_t sum = 0;
  for (const auto& p : partitions_) sum += trial_over_ ? 0 : p->held.size();
  return sum;
}

std::optional<std::string> Lane::held_back() const {
  if (!paused_.empty()) return paused_;
  if (held_records() == 0) return std::nullopt;
  for (const auto& p : partitions_) {
    if (!parts_.source.at_end(p->id())) return std::nullopt;
  }
  return fmt::format("not one of the {} records can be used, so nothing is committed. {}",
                     held_records(), example());
}

// Of a partition that had one.
std::string Lane::example() const {
  for (const auto& p : partitions_) {
    if (!p->last_dead_letter.empty()) return "For example " + p->last_dead_letter;
  }
  return "";
}

absl::Status Lane::pause_if_too_many() {
  if (!watch_.is_exceeded()) return absl::OkStatus();
  const std::string what = fmt::format("{} of the last {} records are dead letters",
                                       watch_.dead_letters(), DeadLetterWatch::kWindowRecords);
  watch_.clear();
  return judge_dead_letters(what);
}

// What is done so far is committed, so that the pause changes nothing of it.
absl::Status Lane::judge_dead_letters(const std::string& what) {
  const DeadLetterOptions::Action action = options_.dead_letters.action;
  if (action == DeadLetterOptions::Action::kContinue) return absl::OkStatus();
  if (const absl::Status committed = commit(); !committed.ok()) return committed;
  std::string reason = fmt::format("{}. {}", what, example());
  if (action == DeadLetterOptions::Action::kStop) return absl::FailedPreconditionError(reason);
  paused_ = std::move(reason);
  return absl::OkStatus();
}

}  // namespace rfm
