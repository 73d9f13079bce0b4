#include "stream/analyse/cluster_sample.h"

#include <algorithm>

#include "state/epoch.h"

namespace rfm {

void ClusterSample::Part::put(const SampleRow& row) {
  if (!wants(row.id_hash)) return;
  heap_.push_back(row);
  std::ranges::push_heap(heap_, {}, &SampleRow::id_hash);
  if (heap_.size() <= rows_max_) return;
  std::ranges::pop_heap(heap_, {}, &SampleRow::id_hash);
  heap_.pop_back();
}

void ClusterSample::Part::merge(const Part& other) {
  for (const SampleRow& row : other.heap_) put(row);
}

RefitSample ClusterSample::Part::sample() const {
  RefitSample sample{.at = at_, .rows = heap_};
  std::ranges::sort(sample.rows, {}, &SampleRow::id_hash);
  return sample;
}

ClusterSample::ClusterSample(EventTime boundary) {
  for (int week = kWeeks; week > 0; --week)
    parts_.emplace_back(boundary - week * 7 * kEpoch, kPastRowsMax);
  parts_.emplace_back(boundary, kRowsMax);
}

void ClusterSample::add(const CustomerRow& row, const CustomerFacts& /*facts*/,
                        const Rules& row_rules) {
  const auto wants = [&](const Part& part) { return part.wants(row.id_hash); };
  if (std::ranges::none_of(parts_, wants)) return;
  history_.read(row.ledger);
  for (Part& part : parts_) {
    if (!wants(part)) continue;
    const PastSums sums = history_.sums_before(part.at(), row_rules);
    if (sums.frequency == 0) continue;
    part.put({.id_hash = row.id_hash,
              .first_purchase_ms = to_ms(sums.first_purchase),
              .last_purchase_ms = to_ms(sums.last_purchase),
              .monetary = sums.monetary.units,
              .frequency = sums.frequency});
  }
}

void ClusterSample::merge(const ClusterSample& other) {
  for (std::size_t i = 0; i < parts_.size(); ++i) parts_[i].merge(other.parts_[i]);
}

std::vector<RefitSample> ClusterSample::samples() const {
  std::vector<RefitSample> samples;
  for (const Part& part : parts_) samples.push_back(part.sample());
  return samples;
}

}  // namespace rfm
