// What an operator asks of a running application, as a record of its requests topic: one a kind,
// the last counts. The trainer takes it up, once; see docs/formats.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace rfm {

// Other rules, in place of version `base`. It is void once that is not the newest any more.
struct RulesRequest {
  static constexpr std::string_view kKey = "rules";

  std::int64_t base = 0;
  std::map<std::string, std::string> settings;  // All semantic ones.

  friend bool operator==(const RulesRequest&, const RulesRequest&) = default;
};

std::string encode_request(const RulesRequest& request);
// kDataLoss names the field that is not what `encode_request` writes.
absl::StatusOr<RulesRequest> decode_rules_request(std::string_view value);

}  // namespace rfm
