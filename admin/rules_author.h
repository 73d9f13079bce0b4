// Other rules than those in force: what somebody writes down, and asking for them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "state/rules.h"

namespace rfm {

struct RulesProposal {
  struct Difference {
    std::string key;
    std::string before;
    std::string after;
  };

  std::int64_t version = 0;             // That they would have.
  std::shared_ptr<const Rules> rules;   // Shared, because a pass that tries them may go on alone.
  std::vector<Difference> differences;  // From the newest version.
};

// Seam: the settings and the model log, which only the commands know. Any thread.
class RulesAuthor {
 public:
  RulesAuthor() = default;
  RulesAuthor(const RulesAuthor&) = delete;
  RulesAuthor& operator=(const RulesAuthor&) = delete;
  virtual ~RulesAuthor() = default;

  // The newest rules with what `toml`, a part of a settings file, changes of them. kInvalidArgument
  // names the key, its value and what is allowed; kNotFound: there are no rules yet; kUnavailable:
  // not now.
  virtual absl::StatusOr<RulesProposal> propose(std::string_view toml) = 0;

  // Asks for them; says what has become of that. kFailedPrecondition: it can never be done here.
  virtual absl::StatusOr<std::string> apply(std::string_view toml) = 0;
};

}  // namespace rfm
