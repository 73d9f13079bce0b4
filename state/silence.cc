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

}  // namespace rfm
