#include "model/score_cuts.h"

#include <algorithm>
#include <cstddef>

namespace rfm {
namespace {

// floor(low + (high - low) * part / parts) for low <= high and 0 <= part < parts, without overflow.
std::int64_t interpolate_down(std::int64_t low, std::int64_t high, std::uint64_t part,
                              std::uint64_t parts) {
  const std::uint64_t width = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  const std::uint64_t step = (width / parts) * part + (width % parts) * part / parts;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + step);
}

}  // namespace

std::vector<std::int64_t> quantile_cuts(std::vector<std::int64_t> values, int bins) {
  const auto parts = static_cast<std::size_t>(bins);
  std::vector<std::int64_t> cuts(parts - 1);
  if (values.empty()) return cuts;
  auto unordered = values.begin();  // Before it all is in its place, or not asked for any more.
  for (std::size_t i = 1; i < parts; ++i) {
    // Position (n - 1) i / bins: whole part `rank`, then so many parts of the way to the next.
    const std::size_t position = (values.size() - 1) * i;
    const auto rank = values.begin() + static_cast<std::ptrdiff_t>(position / parts);
    if (rank >= unordered) {
      std::nth_element(unordered, rank, values.end());
      unordered = rank + 1;
    }
    std::int64_t high = *rank;
    if (position % parts != 0) {
      if (rank + 1 >= unordered) {
        std::iter_swap(unordered, std::min_element(unordered, values.end()));
        ++unordered;
      }
      high = *(rank + 1);
    }
    cuts[i - 1] = interpolate_down(*rank, high, position % parts, parts);
  }
  return cuts;
}

void clamp_cuts(std::span<const CutBounds> bounds, std::vector<std::int64_t>& cuts) {
  if (bounds.size() != cuts.size()) return;
  for (std::size_t i = 0; i < cuts.size(); ++i)
    cuts[i] = std::clamp(cuts[i], bounds[i].low, bounds[i].high);
}

int cuts_below(std::span<const std::int64_t> cuts, std::int64_t value) {
  int count = 0;
  for (const std::int64_t cut : cuts) count += value > cut ? 1 : 0;
  return count;
}

}  // namespace rfm
