#include "stream/analyse/segmentation_basis.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>
#include <vector>

namespace rfm {

std::string basis_text(const Segmentation& segmentation) {
  if (segmentation.is_cluster()) return "groups of alike customers";
  if (segmentation.has_centroids()) return "the nearest of given groups";
  std::vector<std::string_view> names;
  for (const Axis& axis : segmentation.axes()) names.push_back(name(axis.cuts.quantity));
  if (names.empty()) return "";
  const std::string_view last = names.back();
  names.pop_back();
  return fmt::format("{}{}{}", fmt::join(names, ", "), names.empty() ? "" : " and ", last);
}

}  // namespace rfm
