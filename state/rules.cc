#include "state/rules.h"

#include <algorithm>
#include <array>

namespace rfm {

std::vector<std::size_t> precedence_of(std::span<const std::string> names,
                                       const Segmentations& segmentations) {
  std::vector<std::size_t> order;
  const auto add = [&](std::size_t index) {
    if (index < segmentations.size() && std::ranges::find(order, index) == order.end())
      order.push_back(index);
  };
  for (const std::string& name : names) add(segmentations.find(name));
  for (std::size_t index = 0; index < segmentations.size(); ++index) add(index);
  return order;
}

std::vector<std::size_t> default_precedence(const Segmentations& segmentations) {
  static const std::array<std::string, 3> kNames = {"rfm", "churn", "cluster"};
  return precedence_of(kNames, segmentations);
}

}  // namespace rfm
