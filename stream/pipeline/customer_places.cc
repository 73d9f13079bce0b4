#include "stream/pipeline/customer_places.h"

#include <fmt/core.h>

#include <algorithm>

#include "stream/text/utf8.h"

namespace rfm {

void CustomerPlaces::add(const CustomerRow& row, PartitionId partition) {
  const std::scoped_lock lock(mutex_);
  const auto [place, is_new] = places_.emplace(row.id_hash, partition);
  if (place->second == partition || !split_.insert(row.id_hash).second) return;
  example_ = fmt::format("customer {} is in the partitions {} and {}", shown(row.id),
                         std::min(place->second, partition), std::max(place->second, partition));
}

void CustomerPlaces::erase(std::uint64_t id_hash, PartitionId partition) {
  const std::scoped_lock lock(mutex_);
  const auto place = places_.find(id_hash);
  if (place != places_.end() && place->second == partition) places_.erase(place);
}

void CustomerPlaces::drop(PartitionId partition) {
  const std::scoped_lock lock(mutex_);
  absl::erase_if(places_, [partition](const auto& place) { return place.second == partition; });
}

SplitCustomers CustomerPlaces::split() const {
  const std::scoped_lock lock(mutex_);
  return {.count = split_.size(), .example = example_};
}

}  // namespace rfm
