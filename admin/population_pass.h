// One pass of a lane over all its customers, in slices.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "state/epoch.h"
#include "stream/analyse/customer_view.h"
#include "stream/pipeline/lane_query.h"

namespace rfm {

// What all customers of the lanes asked are judged by.
struct PassContext {
  // Shared, because it outlives the lane that it is a copy of.
  std::shared_ptr<const LogsCopy> logs;
  std::int64_t epoch = 0;  // Of the clock that is ahead.
  bool has_clock = false;  // Else nothing is there yet, and `epoch` says nothing.
  int partitions = 0;

  const Rules& rules() const { return logs->context().rules_in(epoch); }
  // In force; null: no partition has a clock yet.
  const ModelVersion* version() const { return version_in(epoch); }
  // The one of an epoch before.
  const ModelVersion* version_in(std::int64_t then) const {
    return logs->models.knows(then) ? logs->models.effective_in(then) : nullptr;
  }
};

PassContext pass_context(const CommittedState& state);

// `Sums` is made once with what its customers are shown by. It hears of each customer
// with `add`, as Census does, of each partition's books with `read`, before its customers, and of
// its clock with `reach`; the first two only if it has them.
template <class Sums>
class PopulationPass final : public LaneQuery {
 public:
  // Kept until the lane comes to it.
  using Make = std::function<Sums(const PassContext& context)>;

  static constexpr bool kLooksAtRows = requires(Sums & sums, const CustomerRow& row,
                                                const CustomerFacts& facts, const Rules& rules) {
    sums.add(row, facts, rules);
  };

  explicit PopulationPass(Make make) : make_(std::move(make)) {}

  Progress look(const CommittedState& state) override {
    const auto begun = std::chrono::steady_clock::now();
    const Progress progress = go_on(state);
    worked_ += std::chrono::steady_clock::now() - begun;
    return progress;
  }

  // Once it is finished.
  const PassContext& context() const { return context_; }
  Sums& sums() { return *sums_; }
  // What it took of the lane's time.
  std::chrono::nanoseconds worked() const { return worked_; }

 private:
  Progress go_on(const CommittedState& state) {
    if (!sums_) {
      context_ = pass_context(state);
      sums_.emplace(make_(context_));
      for (const Partition* p : state.partitions) {
        if (p->meta().started) sums_->reach(p->meta().watermark);
      }
    }
    if (partition_ == state.partitions.size()) return Progress::kDone;
    const Partition& partition = *state.partitions[partition_];
    const EventTime watermark = partition.meta().watermark;
    if constexpr (requires { sums_->read(partition.books()); }) {
      if (place_ == 0) sums_->read(partition.books());
    }
    if constexpr (kLooksAtRows) {
      place_ = partition.rows().visit_places(place_, kSlicePlaces, [&](const CustomerRow& row) {
        // Rules that are the same are one object, where they can be.
        const Rules* const rules = context_.logs->context().find_rules(row.rules);
        sums_->add(row, facts_at_clock(row, watermark, state.logs),
                   rules == nullptr ? state.logs.rules_of(row) : *rules);
      });
      if (place_ < partition.rows().places()) return Progress::kMore;
    }
    return next_partition(state);
  }

  static constexpr std::size_t kSlicePlaces = 100;
  Progress next_partition(const CommittedState& state) {
    place_ = 0;
    ++partition_;
    return partition_ == state.partitions.size() ? Progress::kDone : Progress::kMore;
  }

  Make make_;
  PassContext context_;
  std::optional<Sums> sums_;
  std::size_t partition_ = 0;
  std::size_t place_ = 0;
  std::chrono::nanoseconds worked_{0};
};

}  // namespace rfm
