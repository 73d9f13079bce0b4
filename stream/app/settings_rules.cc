#include "stream/app/settings_rules.h"

#include "config/checked_settings.h"
#include "config/options.h"
#include "config/rules_change.h"

namespace rfm {

absl::StatusOr<Settings> settings_of_rules(const std::map<std::string, std::string>& logged,
                                           const Settings& given) {
  std::map<std::string, std::string> semantic = logged;
  for (const auto& [key, text] : given.semantic())
    if (key.starts_with("input.")) semantic[key] = text;
  absl::StatusOr<Settings> settings = logged_settings(semantic);
  if (!settings.ok()) return settings;
  for (const EffectiveSetting& setting : given.effective()) {
    if (setting.spec != nullptr && setting.spec->scope == SettingScope::kSemantic) continue;
    const absl::Status assigned =
        settings->assign(setting.key, setting.text, setting.origin, setting.where);
    if (!assigned.ok()) return assigned;
  }
  return settings;
}

absl::Status SettingsRules::check_rules(const std::map<std::string, std::string>& logged) {
  return settings_.check_same_rules(logged, advice_, compared_);
}

absl::Status SettingsRules::check_change(const std::map<std::string, std::string>& before,
                                         const std::map<std::string, std::string>& after) {
  return check_rules_change(before, after);
}

absl::StatusOr<ReadRules> SettingsRules::read_rules(
    const std::map<std::string, std::string>& logged) {
  const absl::StatusOr<Settings> settings = logged_settings(logged);
  if (!settings.ok()) return settings.status();
  return ReadRules{.rules = rules(*settings), .training = training_options(*settings)};
}

}  // namespace rfm
