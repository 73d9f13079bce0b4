// A process to which every log is right: its rules mean the same whatever they say.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "stream/run/rules_reader.h"

namespace rfm {

// `Seam`: RulesReader or what extends it.
template <class Seam>
class AnyRules : public Seam {
 public:
  AnyRules() = default;
  explicit AnyRules(ReadRules meaning) : meaning_(std::move(meaning)) {}

  absl::Status check_rules(const std::map<std::string, std::string>& /*logged*/) override {
    return absl::OkStatus();
  }
  absl::Status check_change(const std::map<std::string, std::string>& /*before*/,
                            const std::map<std::string, std::string>& /*after*/) override {
    return absl::OkStatus();
  }
  absl::StatusOr<ReadRules> read_rules(
      const std::map<std::string, std::string>& /*logged*/) override {
    return meaning_;
  }

 private:
  ReadRules meaning_;
};

}  // namespace rfm
