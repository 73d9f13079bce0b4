#include "state/damping.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "state/evaluation.h"
#include "state/silence.h"

namespace rfm {
namespace {

// With a finite window: what time alone will do. What follows the churn risk is asked at every
// boundary, so that its next change is not foreseen.
std::optional<NextChange> next_change_in_window(const CustomerRow& row, std::size_t segmentation,
                                                const CustomerFacts& facts, const Rules& rules) {
  if (!rules.window) return std::nullopt;
  if (rules.segmentations[segmentation].follows_risk() && facts.version->churn) return NextChange{};
  return next_segment_if_silent(segmentation, SilentFacts(row, facts, rules),
                                row.segments[segmentation], rules, facts.at + kForesight);
}

int rank_of(const Segmentation& segmentation, SegmentCode code) {
  return segment_info(segmentation, code).rank;
}

// Whether a move is against its cause: silence up, or a purchase down.
bool is_against(const Segmentation& segmentation, SegmentCode from, SegmentCode to, Reason reason,
                bool is_purchase) {
  if (!segmentation.spec().guard) return false;
  const int before = rank_of(segmentation, from);
  const int after = rank_of(segmentation, to);
  if (reason == Reason::kInactivity) return after > before;
  return is_purchase && after < before;
}

// Whether a segment that is called for and is not the current one takes effect now. Marks what is
// dropped.
bool is_due(const Segmentation& segmentation, SegmentState& state, SegmentCode called,
            bool calls_anew, const Comparison& compared) {
  if (state.segment < kFirstSegment || called < kFirstSegment) return true;
  if (state.dropped) return false;
  const Reason why = state.called_reason;
  state.dropped = is_against(segmentation, state.segment, called, why, compared.is_purchase);
  if (state.dropped) return false;
  if (calls_anew && is_own(why)) return true;
  if (why == Reason::kInactivity && segment_info(segmentation, called).lost) return true;
  return compared.after.at >= state.since + Duration{segmentation.spec().stay_ms};
}

// Whether the customer himself calls for a segment that another cause called for before: a purchase
// always does, a return where it brings another cell of a lower segment.
bool confirms(const Segmentation& segmentation, const SegmentState& state, SegmentCode called,
              Call call, Reason reason, bool is_purchase) {
  if (!is_own(reason) || called == state.segment) return false;
  return is_purchase || (call != state.call &&
                         rank_of(segmentation, called) < rank_of(segmentation, state.segment));
}

std::uint32_t seconds_between(EventTime from, EventTime to) {
  const std::int64_t seconds = ((to - from).count() + 999) / 1000;  // Up: not on the day before.
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(seconds, 0, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

bool is_own(Reason reason) {
  return reason == Reason::kPurchase || reason == Reason::kReturn || reason == Reason::kLateEvent;
}

void change_segment(CustomerRow& row, std::size_t segmentation, SegmentCode to, Reason reason,
                    Call call, Comparison& compared, const Rules& rules, TransitionBuffer& out) {
  const EventTime at = compared.after.at;
  SegmentState& state = row.segments[segmentation];
  Transition transition{
      .row = &row,
      .rules = &rules,
      .rules_version = rules.version,
      .from_in = &rules.segmentations[segmentation],
      .segmentation = static_cast<std::uint8_t>(segmentation),
      .reason = reason,
      .direction = direction_of(rules.segmentations[segmentation], state.segment, to),
      .from = state.segment,
      .to = to,
      .from_since = state.since,
      .seq = state.seq + 1,
      .call = call,
      .consent = row.consent,
      .before = compared.before,
      .after = compared.after,
      .cause = compared.cause};
  state = {.since = at, .seq = state.seq + 1, .segment = to, .call = call};
  row.clock = std::max(row.clock, at);
  if (to != kNoSegmentCode)
    transition.next_change = next_change_in_window(row, segmentation, compared.after, rules);
  out.transitions.push_back(std::move(transition));
}

std::optional<HeldSegment> held_by(const SegmentState& state, const Segmenter& segmenter,
                                   const ModelVersion& version) {
  const SegmentCode called = segmenter.segment_of(state.call, version);
  if (state.segment < kFirstSegment || called == state.segment || state.dropped)
    return std::nullopt;
  return HeldSegment{called, state.since + std::chrono::seconds{state.called_after_s}};
}

EventTime stay_end(const CustomerRow& row, std::size_t s, const ModelVersion& version,
                   const Rules& rules) {
  const SegmentState& state = row.segments[s];
  if (state.dropped || state.segment < kFirstSegment) return kBeforeAll;
  const Segmenter segmenter(rules, s);
  if (segmenter.segment_of(state.call, version) == state.segment) return kBeforeAll;
  return state.since + Duration{segmenter.segmentation().spec().stay_ms};
}

void follow_call(CustomerRow& row, std::size_t s, Call call, Reason reason, Comparison& compared,
                 const Rules& rules, TransitionBuffer& out) {
  const Segmenter segmenter(rules, s);
  SegmentState& state = row.segments[s];
  const SegmentState before = state;
  const EventTime now = compared.after.at;
  const SegmentCode called_before = segmenter.segment_of(state.call, *compared.before.version);
  const SegmentCode called = segmenter.segment_of(call, *compared.after.version);
  const bool is_another = called != called_before;
  const bool calls_anew = is_another || confirms(segmenter.segmentation(), state, called, call,
                                                 reason, compared.is_purchase);
  state.call = call;
  if (calls_anew) {
    state.called_reason = reason;
    state.called_after_s = seconds_between(state.since, now);
    state.dropped = false;
  }
  if (called == state.segment) {
    state.called_reason = {};
    state.called_after_s = 0;
    state.dropped = false;
  } else if (is_due(segmenter.segmentation(), state, called, calls_anew, compared)) {
    const auto held = held_by(before, segmenter, *compared.before.version);
    change_segment(row, s, called, state.called_reason, call, compared, rules, out);
    out.transitions.back().held = held;
  } else if (is_another) {
    ++out.suppressed;
  }
  if (state == before) return;
  row.clock = std::max(row.clock, now);
  row.cache.grid_change_at = kBeforeAll;
}

}  // namespace rfm
