// A pass over all customers of all lanes that is kept, because it takes a while: made anew while
// somebody asks, and so seldom that lanes which are otherwise idle spend little on it as well.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "admin/population_pass.h"
#include "admin/state_desks.h"
#include "stream/record/clock.h"

namespace rfm {

// Any thread.
template <class Sums>
class KeptPass {
 public:
  static constexpr std::chrono::seconds kFreshMin{3};
  static constexpr std::chrono::seconds kFreshMax{30};
  // Times what it took of one lane: 2 %.
  static constexpr int kFreshShare = 50;
  static constexpr std::chrono::minutes kForgotten{2};
  // For a new one, by who may have the old one.
  static constexpr std::chrono::milliseconds kPatience{50};

  struct Made {
    PassContext context;
    Sums sums;
  };
  using Make = typename PopulationPass<Sums>::Make;

  explicit KeptPass(Make make) : make_(std::move(make)) {}

  // kDeadlineExceeded: it is being made; ask again. kUnavailable, kResourceExhausted: as the desks
  // say.
  absl::StatusOr<std::shared_ptr<const Made>> get(StateDesks& desks, const Clock& clock) {
    std::vector<Running> running;
    bool has_old = false;
    {
      const std::scoped_lock lock(mutex_);
      has_old = made_ != nullptr;
      const auto last_asked_at = std::exchange(asked_at_, clock.steady());
      if (asked_at_ - made_at_ < fresh_) return latest();
      // Nobody has waited for its end, which may be long ago.
      if (asked_at_ - last_asked_at > kForgotten) running_.clear();
      if (running_.empty()) {
        auto asked = desks.ask(QueryDesk::Kind::kPass,
                               [this] { return std::make_shared<PopulationPass<Sums>>(make_); });
        if (!asked.ok()) return asked.status();
        running_ = *std::move(asked);
      }
      running = running_;
    }
    const auto now = std::chrono::steady_clock::now();
    const absl::Status done =
        StateDesks::wait(running, now + (has_old ? kPatience : StateDesks::kWaitMax));
    const std::scoped_lock lock(mutex_);
    const bool is_mine = !running_.empty() && running_.front() == running.front();
    if (absl::IsDeadlineExceeded(done))
      return made_ == nullptr ? absl::StatusOr<std::shared_ptr<const Made>>(done) : made_;
    if (is_mine) running_.clear();
    if (!done.ok()) {
      if (is_mine) made_.reset();
      return done;
    }
    if (is_mine) merge(running, clock);
    return latest();
  }

 private:
  using Running = std::shared_ptr<PopulationPass<Sums>>;

  absl::StatusOr<std::shared_ptr<const Made>> latest() const {
    if (made_ == nullptr) return absl::UnavailableError("the rules are changing");
    return made_;
  }

  // Leaves the old one while lanes are under different rules, because a midnight is between their
  // clocks.
  void merge(const std::vector<Running>& running, const Clock& clock) {
    made_at_ = clock.steady();
    fresh_ = kFreshMin;
    const auto ahead = std::ranges::max_element(
        running, {}, [](const Running& each) { return each->context().epoch; });
    PassContext context = (*ahead)->context();
    context.partitions = 0;
    std::chrono::nanoseconds worked{0};
    for (const Running& each : running) {
      context.partitions += each->context().partitions;
      worked = std::max(worked, each->worked());
      if (each->context().has_clock && each->context().rules().version != context.rules().version)
        return;
    }
    Sums sums = std::move((*ahead)->sums());
    for (const Running& each : running) {
      // Books need no clock: sales without a customer move none.
      constexpr bool kIsOfBooks = !PopulationPass<Sums>::kLooksAtRows;
      if (each != *ahead && (kIsOfBooks || each->context().has_clock)) sums.merge(each->sums());
    }
    made_ = std::make_shared<const Made>(Made{std::move(context), std::move(sums)});
    fresh_ = std::clamp<std::chrono::nanoseconds>(worked * kFreshShare, kFreshMin, kFreshMax);
  }

  const Make make_;
  std::mutex mutex_;
  std::vector<Running> running_;  // One a lane.
  // Shared, because who reads it goes on while the next is made.
  std::shared_ptr<const Made> made_;
  std::chrono::steady_clock::time_point asked_at_{};
  std::chrono::steady_clock::time_point made_at_{};
  std::chrono::nanoseconds fresh_{0};
};

}  // namespace rfm
