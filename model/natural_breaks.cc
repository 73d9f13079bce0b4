#include "model/natural_breaks.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <utility>

namespace rfm {
namespace {

__extension__ using Wide = __int128;

// Values in ascending order, each once, and sums over those before a place.
class SortedValues {
 public:
  explicit SortedValues(std::vector<std::int64_t> values) {
    std::ranges::sort(values);
    // In units of range / 2^bits or less, so that a sum of all values is below 2^62.
    const int bits = 62 - static_cast<int>(std::bit_width(values.size()));
    const std::uint64_t range = distance(values.front(), values.back());
    const int shift = bits - static_cast<int>(std::bit_width(range));
    for (std::size_t i = 0; i < values.size();) {
      std::size_t end = i;
      while (end < values.size() && values[end] == values[i]) ++end;
      add(values[i], scaled(distance(values.front(), values[i]), shift),
          static_cast<std::int64_t>(end - i));
      i = end;
    }
  }

  std::size_t size() const { return values_.size(); }
  std::int64_t value(std::size_t i) const { return values_[i]; }

  // Sum of squared deviations from their mean of the values from `first` to `last`, rounded up.
  Wide deviation(std::size_t first, std::size_t last) const {
    const Before& from = before_[first];
    const Before& to = before_[last + 1];
    const std::int64_t count = to.count - from.count;
    const std::int64_t sum = to.sum - from.sum;
    // With sum = mean * count + rest, sum^2 / count = (mean * count + 2 rest) * mean + rest^2 /
    // count, and only the last quotient is no integer.
    const std::int64_t mean = sum / count;
    const std::int64_t rest = sum % count;
    const Wide square = (static_cast<Wide>(mean) * count + 2 * rest) * mean + rest * rest / count;
    return to.squares - from.squares - square;
  }

 private:
  struct Before {
    std::int64_t count = 0;
    std::int64_t sum = 0;
    Wide squares = 0;
  };

  static std::uint64_t distance(std::int64_t low, std::int64_t high) {
    return static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  }

  static std::int64_t scaled(std::uint64_t offset, int shift) {
    return static_cast<std::int64_t>(shift >= 0 ? offset << shift : offset >> -shift);
  }

  void add(std::int64_t value, std::int64_t offset, std::int64_t count) {
    Before next = before_.back();
    next.count += count;
    next.sum += offset * count;
    next.squares += static_cast<Wide>(offset) * offset * count;
    values_.push_back(value);
    before_.push_back(next);
  }

  std::vector<std::int64_t> values_;
  std::vector<Before> before_ = {{}};
};

// Level c holds the best split of values 0 .. last into c + 1 classes, for each `last`.
class BestSplits {
 public:
  explicit BestSplits(const SortedValues& values) : values_(values) {
    for (std::size_t last = 0; last < values_.size(); ++last)
      totals_.push_back(values_.deviation(0, last));
  }

  void add_class() {
    before_ = totals_;
    starts_.emplace_back(values_.size());
    const std::size_t least = starts_.size();  // As many values as classes.
    fill(least, values_.size() - 1, least, values_.size() - 1);
  }

  // Where each class but the first begins.
  std::vector<std::size_t> starts() const {
    std::vector<std::size_t> result;
    std::size_t last = values_.size() - 1;
    for (std::size_t level = starts_.size(); level-- > 0;) {
      result.push_back(starts_[level][last]);
      last = result.back() - 1;
    }
    std::ranges::reverse(result);
    return result;
  }

 private:
  // The last class of the values up to `last` begins from `low` to `high`, for `last` from `first`
  // to `end`; it begins no earlier for a later `last`.
  void fill(std::size_t first, std::size_t end, std::size_t low, std::size_t high) {
    const std::size_t last = first + (end - first) / 2;
    std::size_t best = low;
    Wide least = before_[low - 1] + values_.deviation(low, last);
    for (std::size_t start = low + 1; start <= std::min(high, last); ++start) {
      const Wide total = before_[start - 1] + values_.deviation(start, last);
      if (total >= least) continue;
      least = total;
      best = start;
    }
    starts_.back()[last] = static_cast<std::uint32_t>(best);
    totals_[last] = least;
    if (last > first) fill(first, last - 1, low, best);
    if (last < end) fill(last + 1, end, best, high);
  }

  const SortedValues& values_;
  std::vector<Wide> before_;  // Of the level below.
  std::vector<Wide> totals_;
  std::vector<std::vector<std::uint32_t>> starts_;
};

}  // namespace

std::vector<std::int64_t> natural_breaks(std::vector<std::int64_t> values, int class_count) {
  const SortedValues sorted(std::move(values));
  const auto classes = std::min(static_cast<std::size_t>(class_count), sorted.size());
  BestSplits splits(sorted);
  for (std::size_t c = 1; c < classes; ++c) splits.add_class();
  std::vector<std::int64_t> cuts;
  for (const std::size_t start : splits.starts()) cuts.push_back(sorted.value(start - 1));
  cuts.resize(static_cast<std::size_t>(class_count) - 1, sorted.value(sorted.size() - 1));
  return cuts;
}

double squared_deviations(std::span<const std::int64_t> values,
                          std::span<const std::int64_t> cuts) {
  const auto class_of = [cuts](std::int64_t value) {
    return static_cast<std::size_t>(std::ranges::lower_bound(cuts, value) - cuts.begin());
  };
  std::vector<double> means(cuts.size() + 1);
  std::vector<double> counts(means.size());
  for (const std::int64_t value : values) {
    means[class_of(value)] += static_cast<double>(value);
    ++counts[class_of(value)];
  }
  for (std::size_t c = 0; c < means.size(); ++c) means[c] /= std::max(1.0, counts[c]);
  double sum = 0;
  for (const std::int64_t value : values) {
    const double deviation = static_cast<double>(value) - means[class_of(value)];
    sum += deviation * deviation;
  }
  return sum;
}

}  // namespace rfm
