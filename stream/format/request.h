// What an operator asks of a running application, as a record of its requests topic: one a kind,
// the last counts. The trainer takes it up, once; see docs/formats.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"

namespace rfm {

// Other rules, in place of version `base`. It is void once that is not the newest any more.
struct RulesRequest {
  static constexpr std::string_view kKey = "rules";

  std::int64_t base = 0;
  std::map<std::string, std::string> settings;  // All semantic ones.

  friend bool operator==(const RulesRequest&, const RulesRequest&) = default;
};

// Clusters that the trainer holds (ModelVersion::held). It is void once others are held, or none.
struct PromoteRequest {
  static constexpr std::string_view kKey = "promote";

  std::int64_t epoch = 0;  // At which they were trained.

  friend bool operator==(const PromoteRequest&, const PromoteRequest&) = default;
};

using Request = std::variant<RulesRequest, PromoteRequest>;

// Key and value of its record.
std::pair<std::string, std::string> encode_request(const Request& request);
// kDataLoss names the field that is not what `encode_request` writes.
absl::StatusOr<Request> decode_request(std::string_view key, std::string_view value);

}  // namespace rfm
