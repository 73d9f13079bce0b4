#include "stream/analyse/customer_outlook.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/axis_value.h"
#include "state/advance.h"
#include "state/damping.h"
#include "state/epoch.h"
#include "state/evaluation.h"
#include "state/segmenter.h"
#include "state/silence.h"
#include "stream/format/explanation.h"

namespace rfm {
namespace {

void add_silence_cuts(const CustomerFacts& facts, const Segmenter& segmenter,
                      std::vector<DueChange>& deadlines) {
  const std::span<const Axis> axes = segmenter.segmentation().axes();
  for (std::size_t a = 0; a < axes.size(); ++a) {
    if (axes[a].cuts.quantity != Quantity::kRecency) continue;
    for (const std::int64_t cut : segmenter.cuts_of(a, *facts.version)) {
      const EventTime at = facts.last_purchase + Duration{cut + 1};
      if (at <= facts.at) continue;
      deadlines.push_back(
          {at, fmt::format("{}: {} of silence are passed", segmenter.segmentation().name(),
                           axis_text(Quantity::kRecency, cut))});
    }
  }
}

}  // namespace

std::optional<NextChange> next_change(std::size_t segmentation, const CustomerRow& row,
                                      const CustomerFacts& facts, const Rules& rules) {
  if (facts.frequency == 0) return std::nullopt;
  const Segmenter segmenter(rules, segmentation);
  const SegmentState& state = row.segments[segmentation];
  const ModelVersion& version = *facts.version;
  if (const EventTime end = stay_end(row, segmentation, version, rules); end > facts.at)
    return NextChange{end, segmenter.segment_of(state.call, version)};
  const NextChange next = next_segment_if_silent(segmentation, SilentFacts(row, facts, rules),
                                                 state, rules, facts.at + kForesight);
  if (next.at == kNever) return std::nullopt;
  return next;
}

std::vector<DueChange> deadlines_of(const CustomerRow& row, const CustomerFacts& facts,
                                    const Rules& rules) {
  std::vector<DueChange> deadlines;
  if (row.open) {
    deadlines.push_back({row.open->last_line + rules.settle,
                         fmt::format("invoice {} settles", row.open->invoice_no)});
  }
  if (facts.frequency == 0) return deadlines;
  deadlines.push_back({boundary_of(epoch_of(facts.at) + 1),
                       "the next day begins: churn risk again, and a new model if there is one"});
  const EventTime exit = row.ledger.next_exit(rules, facts.at);
  if (exit != kNever) deadlines.push_back({exit, "an invoice leaves the window"});
  for (std::size_t s = 0; s < rules.segmentations.size(); ++s) {
    const Segmenter segmenter(rules, s);
    const Segmentation& segmentation = segmenter.segmentation();
    add_silence_cuts(facts, segmenter, deadlines);
    if (segmentation.is_cluster() || segmentation.has_centroids()) {
      const EventTime at =
          segmenter.next_change(facts, row.segments[s].call, facts.at + kForesight);
      if (at != kNever)
        deadlines.push_back({at, fmt::format("{}: another group is nearer", segmentation.name())});
    }
    const EventTime end = stay_end(row, s, *facts.version, rules);
    if (end > facts.at) {
      deadlines.push_back(
          {end, fmt::format("{}: the least stay ends, {} is called for", segmentation.name(),
                            segment_info(segmentation,
                                         segmenter.segment_of(row.segments[s].call, *facts.version))
                                .name)});
    }
  }
  std::ranges::stable_sort(deadlines,
                           [](const DueChange& a, const DueChange& b) { return a.at < b.at; });
  return deadlines;
}

}  // namespace rfm
