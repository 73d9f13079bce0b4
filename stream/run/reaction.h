// What the service does when a life of its pipeline has ended: end, restore from the changelog,
// wait for its topics, or begin again from the last commit. Pure: time is given, the jitter of the
// pauses is seeded.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string_view>

#include "absl/status/status.h"

namespace rfm {

enum class Reaction : std::uint8_t {
  kEnd,          // With `Decision::status`.
  kRebuild,      // After `Decision::pause`.
  kSetAside,     // The state is damaged; everything is in the changelog.
  kAwaitTopics,  // A topic is gone: only somebody else can bring it back.
};
inline constexpr int kReactionCount = 4;

// What is known of a life that has ended.
struct PipelineEnd {
  absl::Status status;
  bool topic_gone = false;  // It was there when that life began.
  bool stop_asked = false;
  std::chrono::steady_clock::duration lived{};  // Since its partitions were restored; 0: never.
};

class ReactionPolicy {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Decision {
    Reaction reaction = Reaction::kEnd;
    absl::Status status;  // What ended the life; with kEnd, what the service ends with.
    std::chrono::milliseconds pause{0};
  };

  // `name` seeds the jitter, so that instances that failed together do not come back together.
  explicit ReactionPolicy(std::string_view name);

  Decision decide(const PipelineEnd& end, Time now);

 private:
  Decision rebuild(const PipelineEnd& end);

  std::minstd_rand random_;
  int failures_ = 0;    // In a row.
  int unforeseen_ = 0;  // Of these, with an error that has no reaction of its own.
  bool was_set_aside_ = false;
  std::optional<Time> fenced_;
};

// Limits, named for messages and tests.
inline constexpr std::chrono::milliseconds kRebuildPauseFirst{500};  // Doubled each time.
inline constexpr std::chrono::milliseconds kRebuildPauseMax{30'000};
inline constexpr int kRebuildsMax = 20;  // In a row; a quarter of an hour of outage or more.
inline constexpr int kUnforeseenRebuildsMax = 3;         // In a row.
inline constexpr std::chrono::minutes kHealthyAfter{1};  // A life as long ends a row of failures.
inline constexpr std::chrono::minutes kFencedWindow{1};  // Fenced twice within: a rival stays.

}  // namespace rfm
