#include "stream/rules_check.h"

#include <fmt/format.h>

namespace rfm {

absl::Status check_same_rules(const std::map<std::string, std::string>& logged,
                              const std::map<std::string, std::string>& given) {
  const auto text_of = [](const std::map<std::string, std::string>& settings,
                          const std::string& key) {
    const auto found = settings.find(key);
    return found == settings.end() ? std::string("(absent)") : found->second;
  };
  std::map<std::string, std::string> keys = logged;
  keys.insert(given.begin(), given.end());
  std::string differences;
  for (const auto& [key, unused] : keys) {
    const std::string before = text_of(logged, key);
    const std::string now = text_of(given, key);
    if (before != now)
      differences += fmt::format("\n  {}: {} in the model log, {} here", key, before, now);
  }
  if (differences.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "settings that change state or transitions differ from those this application started with:" +
      differences +
      "\nStart with the logged values, or under another app.name and state directory.");
}

}  // namespace rfm
