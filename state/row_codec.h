// The stored form of a customer row: what RocksDB and the changelog hold. See docs/formats.md;
// golden files pin it.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "state/customer_row.h"
#include "state/time_context.h"

namespace rfm {

inline constexpr std::uint8_t kRowCodecVersion = 5;

// The customer id is the key and not repeated.
std::string encode_row(const CustomerRow& row);

// kDataLoss: cut short or malformed, or under rules that are not known. kUnimplemented: written by
// a newer version. The cache is left empty; sums and features are recomputed from the entries.
absl::StatusOr<CustomerRow> decode_row(std::string_view customer_id, std::string_view bytes,
                                       const TimeContext& context);

}  // namespace rfm
