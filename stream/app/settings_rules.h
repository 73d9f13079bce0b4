// The settings of a command as the seam to the rules of a model log.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "config/settings.h"
#include "stream/run/rules_reader.h"

namespace rfm {

// The settings that a version of the rules stands for; how the input is written and where all is
// (addresses, speed) are those of `given`.
absl::StatusOr<Settings> settings_of_rules(const std::map<std::string, std::string>& logged,
                                           const Settings& given);

class SettingsRules final : public RulesReader {
 public:
  // `advice`: what is said to do where settings differ from the log's.
  SettingsRules(Settings settings, std::string advice, Settings::Compared compared)
      : settings_(std::move(settings)), advice_(std::move(advice)), compared_(compared) {}

  absl::Status check_rules(const std::map<std::string, std::string>& logged) override;
  absl::Status check_change(const std::map<std::string, std::string>& before,
                            const std::map<std::string, std::string>& after) override;
  absl::StatusOr<ReadRules> read_rules(const std::map<std::string, std::string>& logged) override;

 private:
  Settings settings_;
  std::string advice_;
  Settings::Compared compared_;
};

}  // namespace rfm
