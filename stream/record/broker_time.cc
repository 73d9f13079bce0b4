#include "stream/record/broker_time.h"

#include <algorithm>
#include <cstdlib>

namespace rfm {

void BrokerTime::observe(std::int64_t append_ms) {
  const std::scoped_lock lock(mutex_);
  append_ms_ = append_ms;
  observed_ = clock_.steady();
}

std::optional<std::int64_t> BrokerTime::broker_now() const {
  if (!append_ms_) return std::nullopt;
  const auto since =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady() - observed_);
  return *append_ms_ + since.count();
}

std::optional<std::int64_t> BrokerTime::broker_ms() const {
  const std::scoped_lock lock(mutex_);
  return broker_now();
}

std::optional<std::int64_t> BrokerTime::believed_ms() const {
  const std::optional<std::int64_t> broker = broker_ms();
  if (!broker) return std::nullopt;
  return std::min(*broker, clock_.wall_ms());
}

std::optional<BrokerTime::Disagreement> BrokerTime::take_disagreement() {
  const std::scoped_lock lock(mutex_);
  const std::optional<std::int64_t> broker = broker_now();
  if (!broker) return std::nullopt;
  const std::int64_t wall = clock_.wall_ms();
  if (std::abs(wall - *broker - difference_said_ms_) <= kToleranceMax.count()) return std::nullopt;
  difference_said_ms_ = wall - *broker;
  ++disagreements_;
  return Disagreement{.wall_ms = wall, .broker_ms = *broker};
}

std::uint64_t BrokerTime::disagreements() const {
  const std::scoped_lock lock(mutex_);
  return disagreements_;
}

}  // namespace rfm
