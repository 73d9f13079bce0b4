#include "state/rules_change.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "state/damping.h"

namespace rfm {
namespace {

// Of the oldest beyond it a later chain begins anew.
constexpr std::size_t kDroppedMax = 64;

// Whether a call means the same in both, and is found in the same way but for damping.
bool calls_alike(const Segmentation& a, const Segmentation& b) {
  const SegmentationSpec& before = a.spec();
  const SegmentationSpec& after = b.spec();
  const auto same_axis = [](const Axis& x, const Axis& y) {
    return x.name == y.name && x.cuts == y.cuts;
  };
  return before.scorer == after.scorer && before.recency_min_ms == after.recency_min_ms &&
         before.centroids == after.centroids && before.scale == after.scale &&
         before.recency_at_ms == after.recency_at_ms &&
         std::ranges::equal(before.axes, after.axes, same_axis) && before.map == after.map;
}

// The segment of the same name; absent: there is none.
std::optional<SegmentCode> renamed(SegmentCode code, const Segmentation& from,
                                   const Segmentation& to) {
  return find_segment(to, segment_info(from, code).name);
}

// Where the chain of a segmentation begins, or goes on.
SegmentState begin_of(CustomerRow& row, const std::string& name) {
  if (!row.dropped) return {};
  const auto found = std::ranges::find(*row.dropped, name, &DroppedSegmentation::name);
  if (found == row.dropped->end()) return {};
  const SegmentState state{.since = found->since, .seq = found->seq, .call = {}};
  row.dropped->erase(found);
  if (row.dropped->empty()) row.dropped.reset();
  return state;
}

// Each with a last transition. `before`: under the model until then.
void drop_gone(CustomerRow& row, const CustomerFacts& before, Comparison& compared,
               const Rules& from, const Rules& to, TransitionBuffer& out) {
  for (std::size_t s = 0; s < from.segmentations.size(); ++s) {
    const std::string& name = from.segmentations[s].name();
    if (to.segmentations.find(name) < to.segmentations.size()) continue;
    if (row.segments[s].segment != kNoSegmentCode) {
      const auto held = held_by(row.segments[s], Segmenter(from, s), *before.version);
      change_segment(row, s, kNoSegmentCode, Reason::kRulesChange, {}, compared, from, out);
      out.transitions.back().rules_version = to.version;
      out.transitions.back().held = held;
    }
    if (row.segments[s].seq == 0) continue;
    if (!row.dropped) row.dropped = std::make_unique<std::vector<DroppedSegmentation>>();
    if (row.dropped->size() == kDroppedMax) row.dropped->erase(row.dropped->begin());
    row.dropped->push_back({name, row.segments[s].seq, row.segments[s].since});
  }
}

void move_cooldowns(CustomerRow& row, const Rules& from, const Rules& to) {
  if (!row.cooldowns) return;
  std::erase_if(*row.cooldowns, [&](Cooldown& cooldown) {
    const Segmentation& before = from.segmentations[cooldown.segmentation];
    const std::size_t place = to.segmentations.find(before.name());
    if (place == to.segmentations.size()) return true;
    const auto segment = renamed(cooldown.segment, before, to.segmentations[place]);
    if (!segment) return true;
    cooldown.segmentation = static_cast<std::uint8_t>(place);
    cooldown.segment = *segment;
    return false;
  });
  if (row.cooldowns->empty()) row.cooldowns.reset();
}

// What other damping lets go of goes at once: what time did before is no deadline to come.
void go_on(CustomerRow& row, std::size_t s, const CustomerFacts& facts, const Rules& to,
           TransitionBuffer& out) {
  if (facts.frequency == 0) return;
  Comparison compared{.before = facts, .after = facts};
  const Segmenter segmenter(to, s);
  const Call current = row.segments[s].call;
  const Call call = segmenter.segmentation().follows_risk() && facts.version->churn
                        ? segmenter.call_at_boundary(facts, facts, current)
                        : segmenter.call_in_silence(facts, current);
  const std::size_t first = out.transitions.size();
  follow_call(row, s, call, Reason::kInactivity, compared, to, out);
  for (Transition& transition : std::span(out.transitions).subspan(first))
    transition.reason = Reason::kRulesChange;
}

// Evaluated anew; `before` is the segmentation as it was, of which the row's state still speaks,
// and `held` what that held back.
void evaluate_anew(CustomerRow& row, std::size_t s, const Segmentation& before,
                   std::optional<HeldSegment> held, Comparison& compared, const Rules& to,
                   TransitionBuffer& out) {
  const Segmenter segmenter(to, s);
  SegmentState& state = row.segments[s];
  const Call call = segmenter.call_at_change(compared.after, {});
  const SegmentCode called = segmenter.segment_of(call, *compared.after.version);
  const SegmentCode segment = state.segment;
  const std::optional<SegmentCode> same = renamed(segment, before, segmenter.segmentation());
  if (same == called) {
    state = {.since = state.since, .seq = state.seq, .segment = called, .call = call};
    return;
  }
  state.segment = same.value_or(kUnassigned);
  change_segment(row, s, called, Reason::kRulesChange, call, compared, to, out);
  Transition& transition = out.transitions.back();
  transition.from = segment;
  transition.from_in = &before;
  transition.held = held;
  if (segment >= kFirstSegment && called >= kFirstSegment) {
    const int rank = segment_info(before, segment).rank;
    const int now = segment_info(segmenter.segmentation(), called).rank;
    transition.direction = now > rank   ? Direction::kUp
                           : now < rank ? Direction::kDown
                                        : Direction::kSideways;
  }
}

}  // namespace

SegmentationMask adopt_rules(CustomerRow& row, const CustomerFacts& facts_before,
                             const CustomerFacts& facts, const Rules& from, const Rules& to,
                             TransitionBuffer& out) {
  Comparison compared{.before = facts, .after = facts};
  drop_gone(row, facts_before, compared, from, to, out);
  move_cooldowns(row, from, to);
  const std::vector<SegmentState> old(row.segments.begin(), row.segments.end());
  row.segments.clear();
  row.segments.resize(to.segmentations.size());
  // It is measured anew, from the same beginning.
  if (row.quiet_until != kBeforeAll) row.quiet_until += to.quiet - from.quiet;
  row.rules = static_cast<std::uint32_t>(to.version);
  SegmentationMask alike = 0;
  for (std::size_t s = 0; s < to.segmentations.size(); ++s) {
    const Segmentation& after = to.segmentations[s];
    SegmentState& state = row.segments[s];
    const std::size_t place = from.segmentations.find(after.name());
    if (place == from.segmentations.size()) {
      state = begin_of(row, after.name());
      evaluate_anew(row, s, after, std::nullopt, compared, to, out);
      continue;
    }
    const Segmentation& before = from.segmentations[place];
    state = old[place];
    if (!calls_alike(before, after)) {
      const auto held = held_by(state, Segmenter(from, place), *facts_before.version);
      evaluate_anew(row, s, before, held, compared, to, out);
      continue;
    }
    state.segment = renamed(state.segment, before, after).value_or(kUnassigned);
    go_on(row, s, facts_before, to, out);
    alike |= mask_of(s);
  }
  const auto has_past = [](const SegmentState& state) { return state.seq > 0; };
  if (row.dropped || std::ranges::any_of(row.segments, has_past))
    out.adoptions.push_back({&row, facts});
  row.clock = std::max(row.clock, facts.at);
  row.cache.grid_change_at = kBeforeAll;
  return alike;
}

}  // namespace rfm
