// Whether the rules that a model log holds are those that the process was started with. Seam: the
// settings, which only the commands know, or tests that take any.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"

namespace rfm {

class RulesCheck {
 public:
  RulesCheck() = default;
  RulesCheck(const RulesCheck&) = delete;
  RulesCheck& operator=(const RulesCheck&) = delete;
  virtual ~RulesCheck() = default;

  // An error where they differ: in what, and what can be done.
  virtual absl::Status check_rules(const std::map<std::string, std::string>& logged) = 0;
};

}  // namespace rfm
