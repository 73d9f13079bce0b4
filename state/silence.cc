#include "state/silence.h"

#include <algorithm>

#include "state/epoch.h"
#include "state/evaluation.h"
#include "state/segmenter.h"

namespace rfm {

void SilentFacts::go_to(EventTime at) {
  sums_ = ledger_.sums_if_silent(sums_, facts_.at, at, rules_);
  facts_ = {.at = at,
            .first_purchase = sums_.first_purchase,
            .last_purchase = sums_.last_purchase,
            .frequency = sums_.frequency,
            .monetary = monetary_of(sums_, rules_),
            .version = facts_.version};
}

EventTime next_change_if_silent(std::size_t segmentation, SilentFacts silent, Call current,
                                const Rules& rules, EventTime until) {
  const Segmenter segmenter(rules, segmentation);
  const ModelVersion& version = *silent.facts().version;
  const SegmentCode segment = segmenter.segment_of(current, version);
  while (silent.facts().frequency > 0) {
    const EventTime exit = silent.next_exit();
    const EventTime boundary = segmenter.segmentation().follows_risk() && version.churn
                                   ? boundary_of(epoch_of(silent.facts().at) + 1)
                                   : kNever;
    const EventTime stop = std::min({until, exit, boundary});
    const EventTime last = stop == kNever ? kNever : stop - Duration{1};
    const EventTime change =
        segmenter.next_change(silent.facts(), current, stop == until ? until : last);
    if (change != kNever) return change;
    if (stop == kNever || stop == until) return kNever;
    silent.go_to(stop);
    current = stop == exit ? segmenter.call_at_change(silent.facts(), current)
                           : segmenter.call_at_boundary(silent.facts(), silent.facts(), current);
    if (segmenter.segment_of(current, version) != segment) return stop;
  }
  return kNever;
}

NextChange damped(const Segmentation& segmentation, NextChange next, SegmentCode segment,
                  EventTime since) {
  if (next.to < kFirstSegment) return next;
  const SegmentInfo& info = segment_info(segmentation, next.to);
  const bool is_up = info.rank > segment_info(segmentation, segment).rank;
  if (next.to == segment || (is_up && segmentation.spec().guard)) return {};
  if (!info.lost) next.at = std::max(next.at, since + Duration{segmentation.spec().stay_ms});
  return next;
}

NextChange next_segment_if_silent(std::size_t s, SilentFacts silent, const SegmentState& state,
                                  const Rules& rules, EventTime until) {
  const EventTime at = next_change_if_silent(s, silent, state.call, rules, until);
  if (at == kNever) return {};
  const Segmenter segmenter(rules, s);
  const std::uint32_t frequency = silent.facts().frequency;
  silent.go_to(at);
  const CustomerFacts& then = silent.facts();
  const Segmentation& segmentation = segmenter.segmentation();
  const Call call = then.frequency != frequency ? segmenter.call_at_change(then, state.call)
                    : segmentation.follows_risk()
                        ? segmenter.call_at_boundary(then, then, state.call)
                        : segmenter.call_in_silence(then, state.call);
  const SegmentCode to = segmenter.segment_of(call, *then.version);
  return damped(segmentation, {at, to}, state.segment, state.since);
}

}  // namespace rfm
