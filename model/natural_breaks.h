// Natural breaks of one axis (Jenks, 1967; Fisher, 1958): K-Means in one dimension, at its optimum,
// by dynamic programming over the sorted values (Wang and Song, "Ckmeans.1d.dp", 2011), divide and
// conquer in each of its steps (Gronlund et al., 2017): O(n log n) a class.
//
// Integers only, so the same bits on every machine. Values are scaled to their range over 2^45 or
// less (for up to 65,536 of them) and a class's sum of squared deviations is rounded up to a whole
// number of such units: splits whose sums differ by less count as equal.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rfm {

inline constexpr int kNaturalClassesMin = 2;
inline constexpr int kNaturalClassesMax = 10;

// `class_count` - 1 cuts, ascending, that split `values` into classes with the least sum of squared
// deviations from the classes' means; of equal sums the one of the lowest cuts, the last cut first.
// A cut is the largest value of its lower class: a value's class, from 1, is 1 + the number of cuts
// strictly below it. Fewer distinct values than classes are a class each, from 1 on; the cuts that
// are left over repeat the largest value. At least one value, at most 2^31.
std::vector<std::int64_t> natural_breaks(std::vector<std::int64_t> values, int class_count);

// Sum of squared deviations from their class's mean, in the classes that ascending `cuts` make of
// `values`; in squared units of these. Without cuts: from the mean of all.
double squared_deviations(std::span<const std::int64_t> values, std::span<const std::int64_t> cuts);

}  // namespace rfm
