// The stored form of a customer row: what RocksDB and the changelog hold. See docs/formats.md;
// golden files pin it.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "state/customer_row.h"

namespace rfm {

inline constexpr std::uint8_t kRowCodecVersion = 3;

// The customer id is the key and not repeated.
std::string encode_row(const CustomerRow& row);

// kDataLoss: cut short or malformed. kUnimplemented: written by a newer version. The cache is left
// empty; sums and features are recomputed from the entries under `rules`.
absl::StatusOr<CustomerRow> decode_row(std::string_view customer_id, std::string_view bytes,
                                       const Rules& rules);

}  // namespace rfm
