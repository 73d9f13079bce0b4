#include "state/transition.h"

#include <array>
#include <cstddef>

namespace rfm {

std::string_view name(Reason reason) {
  constexpr std::array<std::string_view, kReasonCount> kNames = {
      "purchase",     "return",     "inactivity", "population_shift", "model_change",
      "rules_change", "late_event", "erasure",    "backfill"};
  return kNames[static_cast<std::size_t>(reason)];
}

std::string_view name(Direction direction) {
  constexpr std::array<std::string_view, 5> kNames = {"up", "down", "sideways", "new", "lost"};
  return kNames[static_cast<std::size_t>(direction)];
}

}  // namespace rfm
