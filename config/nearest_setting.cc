#include "config/nearest_setting.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "config/setting_table.h"

namespace rfm {

namespace {

// Edits (insert, delete, replace, swap of neighbours) that make `a` from `b`.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Optimal string alignment over three rows.
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replace, above[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace

std::string nearest_setting(std::string_view key) {
  std::string nearest;
  std::size_t best = std::max<std::size_t>(2, key.size() / 3);  // Farther is no help.
  const auto consider = [&](std::string_view candidate, std::size_t distance) {
    if (distance > best || (distance == best && !nearest.empty())) return;
    best = distance;
    nearest = std::string(candidate);
  };
  const auto last_part = [](std::string_view text) { return text.substr(text.rfind('.') + 1); };
  for (const SettingSpec& spec : setting_table()) {
    consider(spec.key, edit_distance(key, spec.key));
    // The right name in the wrong section, or without one.
    consider(spec.key, edit_distance(last_part(key), last_part(spec.key)) + 1);
  }
  if (const auto parts = split_segmentation_key(key); parts && !parts->key.empty()) {
    for (const SettingSpec& spec : segmentation_table()) {
      consider(fmt::format("segmentation.{}.{}", parts->name, spec.key),
               edit_distance(parts->key, spec.key));
    }
  }
  return nearest;
}

}  // namespace rfm
