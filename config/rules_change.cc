#include "config/rules_change.h"

#include <fmt/format.h>

#include <string_view>

#include "config/setting_table.h"
#include "config/setting_value.h"

namespace rfm {
namespace {

bool is_longer(std::string_view before, std::string_view after) {
  const auto old_window = parse_duration(before);  // Absent: lifetime.
  const auto new_window = parse_duration(after);
  return old_window && (!new_window || *new_window > *old_window);
}

// Why the key of a difference stays as it is for as long as the state is kept; empty: it can
// change.
std::string_view why_fixed(const SettingDifference& difference) {
  const std::string_view key = difference.key;
  if (key == "rfm.window") {
    return is_longer(difference.before, difference.now)
               ? "a longer window needs a backfill: what has left the window is gone from the sums"
               : "a shorter window would take purchases from everybody at once";
  }
  if (key == "rfm.monetary") return "every sum and every model is made of it";
  if (key == "model.clusters") return "another number of clusters has other ids";
  if (key == "model.refit_weekday") return "the samples of the last weeks are taken by it";
  if (key.starts_with("input.")) return "records that are applied were read by it";
  if (key.starts_with("ledger.")) return "what is folded stays folded";
  if (key.starts_with("dedup.")) return "what was taken or refused by it stays so";
  if (key.starts_with("sales.") || key.starts_with("moves."))
    return "what is added up is added up by it from the beginning";
  return "";
}

}  // namespace

std::vector<SettingDifference> rules_differences(const SemanticSettings& before,
                                                 const SemanticSettings& after) {
  const auto value = [](const SemanticSettings& side, const std::string& key) {
    if (const auto found = side.find(key); found != side.end()) return found->second;
    const SettingSpec* const spec = find_setting(key);
    return spec == nullptr ? "(unknown)" : std::string(spec->default_text);
  };
  SemanticSettings keys = before;
  keys.insert(after.begin(), after.end());
  std::vector<SettingDifference> differences;
  for (const auto& [key, unused] : keys) {
    const std::string old_value = value(before, key);
    const std::string new_value = value(after, key);
    if (const auto parts = split_segmentation_key(key); parts && parts->key.empty()) {
      for (SettingDifference& leaf : segmentation_differences(parts->name, old_value, new_value))
        differences.push_back(std::move(leaf));
    } else if (old_value != new_value) {
      differences.push_back({key, old_value, new_value});
    }
  }
  return differences;
}

absl::Status check_rules_change(const SemanticSettings& before, const SemanticSettings& after) {
  std::string refused;
  for (const SettingDifference& difference : rules_differences(before, after)) {
    const std::string_view why = why_fixed(difference);
    if (why.empty()) continue;
    refused += fmt::format("\n  {}: {} in the model log, {} here: {}", difference.key,
                           difference.before, difference.now, why);
  }
  if (refused.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "these rules cannot change while the state is kept:{}\nLeave them as they are, or replay the "
      "history into a new application, with an app.name and outputs of its own.",
      refused));
}

}  // namespace rfm
