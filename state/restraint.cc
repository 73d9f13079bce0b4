#include "state/restraint.h"

#include <algorithm>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "state/damping.h"

namespace rfm {
namespace {

const SegmentAction* action_of(const CustomerRow& row, const Transition& t, const Rules& rules) {
  for (const SegmentAction& action :
       segment_info(rules.segmentations[t.segmentation], t.to).actions) {
    const bool fits = action.on == MoveKind::kAny ||
                      (action.on == MoveKind::kDown
                           ? t.direction == Direction::kDown
                           : t.direction == Direction::kUp || t.direction == Direction::kNew);
    if (!fits) continue;
    if (action.where_segmentation.empty()) return &action;
    const std::size_t other = rules.segmentations.find(action.where_segmentation);
    const std::string_view there =
        segment_info(rules.segmentations[other], row.segments[other].segment).name;
    if (std::ranges::find(action.where_segments, there) != action.where_segments.end())
      return &action;
  }
  return nullptr;
}

Cooldown* find_cooldown(const CustomerRow& row, const Transition& t) {
  if (!row.cooldowns) return nullptr;
  const auto found = std::ranges::find_if(*row.cooldowns, [&](const Cooldown& cooldown) {
    return cooldown.segmentation == t.segmentation && cooldown.segment == t.to;
  });
  return found == row.cooldowns->end() ? nullptr : &*found;
}

void start_cooldown(CustomerRow& row, const Transition& t, std::int64_t span_ms) {
  const EventTime now = t.effective_at();
  if (row.cooldowns)
    std::erase_if(*row.cooldowns, [&](const Cooldown& cooldown) { return cooldown.until <= now; });
  if (span_ms > 0) {
    if (!row.cooldowns) row.cooldowns = std::make_unique<std::vector<Cooldown>>();
    row.cooldowns->push_back({t.segmentation, t.to, now + Duration{span_ms}});
  }
  if (row.cooldowns && row.cooldowns->empty()) row.cooldowns.reset();
}

}  // namespace

void restrain(CustomerRow& row, std::size_t first, Instant instant, const Rules& rules,
              TransitionBuffer& out) {
  const std::span<Transition> moves = std::span(out.transitions).subspan(first);
  const bool began_now = row.quiet_until == instant.at + rules.quiet;
  if (instant.is_own_event && !began_now) row.quiet_until = kBeforeAll;
  const auto place = [&](const Transition& t) {
    return std::ranges::find(rules.precedence, std::size_t{t.segmentation}) -
           rules.precedence.begin();
  };
  Transition* stands = nullptr;
  for (Transition& t : moves) {
    const bool by_customer = is_own(t.reason) || t.reason == Reason::kInactivity;
    t.action = by_customer ? action_of(row, t, rules) : nullptr;
    if (t.action == nullptr) {
      t.restraint = Restraint::kNoAction;
      continue;
    }
    const Cooldown* const cooldown = find_cooldown(row, t);
    if (cooldown != nullptr && instant.at < cooldown->until) {
      t.restraint = Restraint::kCooldown;
    } else if (instant.at < row.quiet_until) {
      t.restraint = Restraint::kPrecedence;
    } else if (stands == nullptr) {
      stands = &t;
    } else if (rules.quiet.count() == 0) {
      start_cooldown(row, t, t.action->cooldown_ms);
    } else {
      Transition& other = place(t) < place(*stands) ? *std::exchange(stands, &t) : t;
      other.restraint = Restraint::kPrecedence;
    }
  }
  if (stands == nullptr) return;
  row.quiet_until = instant.at + rules.quiet;
  start_cooldown(row, *stands, stands->action->cooldown_ms);
}

}  // namespace rfm
