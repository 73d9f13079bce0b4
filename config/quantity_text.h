// Cuts as settings write them: of recency as durations ("30d"), of money and the others as decimal
// numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/segmentation.h"

namespace rfm {

std::optional<Quantity> find_quantity(std::string_view name);
std::string quantity_names();  // "recency, frequency, ..."

// In the quantity's whole unit; absent: it is not written so, has more decimals than the unit, or
// is below 0.
std::optional<std::int64_t> parse_quantity(Quantity quantity, std::string_view text);
std::string format_quantity(Quantity quantity, std::int64_t value);

// "a duration such as \"30d\"", ...
std::string_view quantity_notation(Quantity quantity);

// "30d-60d".
std::optional<CutBounds> parse_bounds(Quantity quantity, std::string_view text);
std::string format_bounds(Quantity quantity, const CutBounds& bounds);

}  // namespace rfm
