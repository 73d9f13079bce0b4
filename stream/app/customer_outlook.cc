#include "stream/app/customer_outlook.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/day.h"
#include "state/advance.h"
#include "state/epoch.h"
#include "state/evaluation.h"

namespace rfm {
namespace {

CustomerFacts at_instant(const CustomerFacts& facts, EventTime at) {
  CustomerFacts later = facts;
  later.at = at;
  return later;
}

EventTime next_churn_change(SilentFacts silent, SegmentCode current, const Rules& rules) {
  const std::int64_t first = epoch_of(silent.facts().at) + 1;
  const std::int64_t last = epoch_of(silent.facts().at + kForesight);
  const auto changes_at = [&](EventTime at) {
    silent.go_to(at);
    return segment_for(Segmentation::kChurn, silent.facts(), current, rules) != current;
  };
  for (std::int64_t epoch = first; epoch <= last; ++epoch) {
    const EventTime boundary = boundary_of(epoch);
    for (EventTime exit = silent.next_exit(); exit <= boundary; exit = silent.next_exit()) {
      if (changes_at(exit)) return exit;
    }
    if (changes_at(boundary)) return boundary;
  }
  return kNever;
}

void add_recency_cuts(const CustomerFacts& facts, std::vector<DueChange>& deadlines) {
  const int now = scores_of(facts).r;
  for (const std::int64_t cut : facts.version->cuts.recency_ms) {
    const EventTime at = facts.last_purchase + Duration{cut + 1};
    if (at <= facts.at) continue;
    const int then = scores_of(at_instant(facts, at)).r;
    deadlines.push_back({at, fmt::format("recency passes the cut {:.1f} days: R {} (now {})",
                                         static_cast<double>(cut) / kDayMs, then, now)});
  }
}

}  // namespace

std::optional<NextChange> next_change(Segmentation segmentation, const CustomerRow& row,
                                      const CustomerFacts& facts, const Rules& rules) {
  const SegmentCode current = row.segments[static_cast<std::size_t>(segmentation)].segment;
  if (facts.frequency == 0) return std::nullopt;
  SilentFacts silent(row, facts, rules);
  EventTime at =
      segmentation == Segmentation::kChurn && facts.version->churn
          ? next_churn_change(silent, current, rules)
          : next_change_if_silent(segmentation, silent, current, rules, facts.at + kForesight);
  if (at == kNever) return std::nullopt;
  silent.go_to(at);
  SegmentCode to = segment_for(segmentation, silent.facts(), current, rules);
  // The segment is kept until the dwell ends, and looked at again then; `none` is never put off.
  if (const EventTime end = dwell_end(row, segmentation, rules); to >= kFirstSegment && end > at) {
    at = end;
    silent.go_to(at);
    to = segment_for(segmentation, silent.facts(), current, rules);
  }
  if (to == current) return std::nullopt;
  return NextChange{at, to};
}

std::vector<DueChange> deadlines_of(const CustomerRow& row, const CustomerFacts& facts,
                                    const Rules& rules) {
  std::vector<DueChange> deadlines;
  if (row.open) {
    deadlines.push_back({row.open->last_line + rules.settle,
                         fmt::format("invoice {} settles", row.open->invoice_no)});
  }
  if (facts.frequency > 0) {
    deadlines.push_back({boundary_of(epoch_of(facts.at) + 1),
                         "the next epoch begins: churn risk again, and a new model if there is "
                         "one"});
    add_recency_cuts(facts, deadlines);
    const auto cluster = static_cast<std::size_t>(Segmentation::kCluster);
    const EventTime nearest = next_change_if_silent(
        Segmentation::kCluster, facts, row.segments[cluster].segment, rules, facts.at + kForesight);
    if (nearest != kNever) deadlines.push_back({nearest, "another centroid becomes the nearest"});
    const EventTime exit = row.ledger.next_exit(rules, facts.at);
    if (exit != kNever) deadlines.push_back({exit, "an invoice leaves the window"});
  }
  for (int s = 0; s < kSegmentationCount; ++s) {
    const EventTime end = dwell_end(row, static_cast<Segmentation>(s), rules);
    if (end <= facts.at) continue;
    deadlines.push_back({end, fmt::format("the least time in the {} segment ends",
                                          kSegmentationNames[static_cast<std::size_t>(s)])});
  }
  std::ranges::stable_sort(deadlines,
                           [](const DueChange& a, const DueChange& b) { return a.at < b.at; });
  return deadlines;
}

}  // namespace rfm
