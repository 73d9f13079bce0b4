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
      if (has_old && clock.steady() - made_at_ < fresh_) return made_;
      // Nobody has waited for its end.
      if (clock.steady() - begun_at_ > kForgotten) running_.clear();
      if (running_.empty()) {
        begun_at_ = clock.steady();
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
    if (is_mine) {
      running_.clear();
      made_.reset();
      if (done.ok()) return merge(running, clock);
    }
    if (!done.ok()) return done;
    // Who came first has merged it.
    if (made_ != nullptr) return made_;
    return absl::UnavailableError("the lanes are asked anew");
  }

 private:
  using Running = std::shared_ptr<PopulationPass<Sums>>;

  absl::StatusOr<std::shared_ptr<const Made>> merge(const std::vector<Running>& running,
                                                    const Clock& clock) {
    PassContext context = running.front()->context();
    int partitions = 0;
    for (const Running& each : running) {
      partitions += each->context().partitions;
      if (each->context().epoch > context.epoch) context = each->context();
    }
    for (const Running& each : running) {
      if (each->context().rules().version != context.rules().version)
        return absl::UnavailableError("the rules are changing");
    }
    context.partitions = partitions;
    auto first = std::ranges::find_if(
        running, [&](const Running& each) { return each->context().logs == context.logs; });
    Sums sums = std::move((*first)->sums());
    for (const Running& each : running) {
      if (each != *first) sums.merge(each->sums());
    }
    made_ = std::make_shared<const Made>(Made{std::move(context), std::move(sums)});
    made_at_ = clock.steady();
    std::chrono::nanoseconds worked{0};
    for (const Running& each : running) worked = std::max(worked, each->worked());
    fresh_ = std::clamp<std::chrono::nanoseconds>(worked * kFreshShare, kFreshMin, kFreshMax);
    return made_;
  }

  const Make make_;
  std::mutex mutex_;
  std::vector<Running> running_;  // One a lane.
  // Shared, because who reads it goes on while the next is made.
  std::shared_ptr<const Made> made_;
  std::chrono::steady_clock::time_point begun_at_{};
  std::chrono::steady_clock::time_point made_at_{};
  std::chrono::nanoseconds fresh_{0};
};

}  // namespace rfm
