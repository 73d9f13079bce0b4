#include "stream/run/reaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string>

namespace rfm {
namespace {

using std::chrono::milliseconds;

enum class Kind : std::uint8_t {
  kFinal,       // No rebuild mends it: settings, foreign or damaged state, missing topics, rights.
  kForeseen,    // Brokers, group and transactions come back.
  kUnforeseen,  // Nobody knows whether a rebuild mends it.
};

Kind kind_of(const PipelineEnd& end) {
  switch (end.status.code()) {
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kPermissionDenied:
      return Kind::kForeseen;
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
      return Kind::kUnforeseen;
    case absl::StatusCode::kOutOfRange:
      // The input has changed under a consumer: the next start says how, and what can be done.
      return end.lived.count() > 0 ? Kind::kForeseen : Kind::kFinal;
    default:
      return Kind::kFinal;
  }
}

absl::Status with(const absl::Status& status, std::string_view more) {
  return {status.code(), fmt::format("{}\n{}", std::string(status.message()), more)};
}

}  // namespace

ReactionPolicy::ReactionPolicy(std::string_view name)
    : random_(static_cast<std::minstd_rand::result_type>(std::hash<std::string_view>()(name))) {}

ReactionPolicy::Decision ReactionPolicy::decide(const PipelineEnd& end, Time now) {
  const absl::Status& status = end.status;
  if (status.ok()) return {};
  if (end.stop_asked) {
    // What a stop cut short had not begun to commit.
    const bool owned = end.lived.count() > 0;
    if (absl::IsCancelled(status) || (!owned && kind_of(end) == Kind::kForeseen)) return {};
    return {.reaction = Reaction::kEnd, .status = status};
  }
  if (end.lived >= kHealthyAfter) failures_ = unforeseen_ = 0;
  if (end.topic_gone) return {.reaction = Reaction::kAwaitTopics, .status = status};
  if (absl::IsDataLoss(status) && !was_set_aside_) {
    was_set_aside_ = true;
    return {.reaction = Reaction::kSetAside, .status = status};
  }
  if (absl::IsPermissionDenied(status)) {
    if (fenced_ && now - *fenced_ < kFencedWindow)
      return {.reaction = Reaction::kEnd, .status = status};
    fenced_ = now;
  }
  return rebuild(end);
}

ReactionPolicy::Decision ReactionPolicy::rebuild(const PipelineEnd& end) {
  const absl::Status& status = end.status;
  const Kind kind = kind_of(end);
  if (kind == Kind::kFinal) return {.reaction = Reaction::kEnd, .status = status};
  ++failures_;
  if (kind == Kind::kUnforeseen && ++unforeseen_ > kUnforeseenRebuildsMax) {
    return {
        .reaction = Reaction::kEnd,
        .status = with(status, fmt::format("The same kind of error ended {} lives in a row, and "
                                           "no rebuild mends it",
                                           unforeseen_))};
  }
  if (failures_ > kRebuildsMax) {
    return {.reaction = Reaction::kEnd,
            .status = with(status, fmt::format("{} rebuilds in a row did not mend it. All that was "
                                               "committed is safe; start again when it is mended",
                                               kRebuildsMax))};
  }
  const auto doublings = std::min(failures_ - 1, 16);
  const auto longest = std::min(kRebuildPauseFirst * (1 << doublings), kRebuildPauseMax);
  std::uniform_int_distribution<milliseconds::rep> pause(longest.count() / 2, longest.count());
  return {.reaction = Reaction::kRebuild, .status = status, .pause = milliseconds{pause(random_)}};
}

}  // namespace rfm
