// Cuts of a population: where one score ends and the next begins.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/segmentation.h"

namespace rfm {

// floor(type-7 quantile) of `values` at i / bins, i = 1 .. bins - 1 (Hyndman and Fan, 1996),
// computed exactly in integers. `values` need not be sorted; empty gives zeros.
std::vector<std::int64_t> quantile_cuts(std::vector<std::int64_t> values, int bins);

// Each into its bounds, if there are any; ascending cuts stay so.
void clamp_cuts(std::span<const CutBounds> bounds, std::vector<std::int64_t>& cuts);

// How many cuts are strictly below `value`.
int cuts_below(std::span<const std::int64_t> cuts, std::int64_t value);

}  // namespace rfm
