#include "stream/app/replay_summary.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

#include "state/damping.h"
#include "state/epoch.h"
#include "state/evaluation.h"
#include "stream/analyse/money_sum.h"
#include "stream/analyse/sales_summary.h"
#include "stream/analyse/segmentation_basis.h"
#include "stream/app/progress.h"
#include "stream/format/explanation.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr std::size_t kMovesShown = 6;
constexpr std::size_t kExamplesPerReason = 2;
constexpr std::size_t kModelsShown = 8;

std::string name_of(const Segmentation& segmentation, SegmentCode code) {
  return segment_info(segmentation, code).name;
}

bool is_by_customer(Reason reason) {
  return reason == Reason::kPurchase || reason == Reason::kReturn || reason == Reason::kInactivity;
}

void print_outcome(std::string_view name, std::uint64_t count, std::string_view note = "") {
  fmt::print("  {:<34}{:>12}{}{}\n", name, count, note.empty() ? "" : "  ", note);
}

// What was sold to nobody known, as the books have it.
std::string unnamed_money(const Lane& lane, std::string_view currency) {
  SalesSummary sales;
  for (const Partition* partition : lane.partitions()) {
    if (!partition->books().keeps_sales()) return "";
    partition->books().cells().for_each(
        [&](std::string_view key, const Book::Cell& cell) { sales.add(key, cell); });
  }
  const SalesSums unnamed = sales.unnamed();
  return fmt::format("{} {:.2f}: sales {:.2f}, credits {:.2f}", currency,
                     currency_units(unnamed.net()), currency_units(unnamed.gross),
                     currency_units(unnamed.credits));
}

}  // namespace

void ReplaySummary::on_transition(const Transition& t) {
  const Segmentation& segmentation = t.rules->segmentations[t.segmentation];
  const std::string from = name_of(*t.from_in, t.from);
  const std::string to = name_of(segmentation, t.to);
  if (t.from >= kFirstSegment) {
    Moves& moves = moves_[segmentation.name()][{from, to}];
    ++(is_by_customer(t.reason) ? moves.by_customers : moves.by_others);
  }
  const std::string reason(name(t.reason));
  const std::uint64_t seen = ++reasons_[reason];
  // First ones, then ever later ones, so that the examples are from all of the history.
  std::vector<std::string>& examples = examples_[reason];
  const bool wanted = examples.size() < kExamplesPerReason || (seen & (seen - 1)) == 0;
  if (!wanted || t.from < kFirstSegment) return;
  if (examples.size() == kExamplesPerReason) examples.erase(examples.begin());
  examples.push_back(fmt::format("{}  customer {}  {}: {} -> {}\n      {}",
                                 to_rfc3339(t.effective_at()), t.row->id, segmentation.name(), from,
                                 to, explain(t, risks_of(t, *t.rules), *t.rules)));
}

void ReplaySummary::print(const Replay& replay, double seconds) const {
  const OutcomeCounters counters = replay.lane().counters();
  print_outcomes(replay);
  print_models(replay);
  print_examples();
  print_moves();
  print_segments(replay);
  const double rate = seconds > 0 ? static_cast<double>(counters.records) / seconds : 0;
  fmt::print("\n{} records and {} transitions in {:.1f} s: {:.0f} records/s\n", counters.records,
             counters.transitions, seconds, rate);
}

void ReplaySummary::print_segments(const Replay& replay) const {
  struct Size {
    std::uint64_t customers = 0;
    std::int64_t monetary = 0;
  };
  std::map<std::string, std::map<std::string, Size>> sizes;  // By segmentation and segment.
  std::uint64_t total = 0;
  std::int64_t revenue = 0;
  EventTime clock = kBeforeAll;
  for (const Partition* partition : replay.lane().partitions()) {
    const PartitionMeta& meta = partition->meta();
    clock = std::max(clock, meta.watermark);
    const ModelVersion* version = replay.lane().models().effective_in(meta.crossed);
    partition->rows().for_each([&](const CustomerRow& row) {
      const CustomerFacts facts = facts_of(row, replay.rules(), version, meta.watermark);
      ++total;
      revenue += facts.monetary.units;
      const Segmentations& segmentations = replay.lane().rules_of(row).segmentations;
      for (std::size_t s = 0; s < segmentations.size(); ++s) {
        Size& size =
            sizes[segmentations[s].name()][name_of(segmentations[s], row.segments[s].segment)];
        ++size.customers;
        size.monetary += facts.monetary.units;
      }
    });
  }
  if (clock == kBeforeAll) return fmt::print("\nNo event that counts\n");
  fmt::print("\nSegments as of {}: {} customers, money in {}\n", to_rfc3339(clock), grouped(total),
             currency_);
  std::map<std::string, std::string> meanings;
  for (const Segmentation& segmentation : replay.rules().segmentations.all())
    meanings[segmentation.name()] = basis_text(segmentation);
  for (const auto& [segmentation, segments] : sizes) {
    fmt::print("  {:<46}{:>10}{:>9}{:>16}{:>9}\n",
               fmt::format("{}, by {}", segmentation, meanings[segmentation]), "customers", "share",
               currency_, "share");
    std::vector<std::pair<std::string, Size>> order(segments.begin(), segments.end());
    std::ranges::sort(
        order, [](const auto& a, const auto& b) { return a.second.monetary > b.second.monetary; });
    for (const auto& [name, size] : order) {
      const double customers =
          total == 0 ? 0 : static_cast<double>(size.customers) / static_cast<double>(total);
      const double share =
          revenue == 0 ? 0 : static_cast<double>(size.monetary) / static_cast<double>(revenue);
      fmt::print("    {:<44}{:>10}{:>8.1f}%{:>16.2f}{:>8.1f}%\n", name, size.customers,
                 customers * 100, static_cast<double>(size.monetary) / Money::kUnitsPerCurrencyUnit,
                 share * 100);
    }
  }
}

// Net: less the moves back that customers made themselves.
void ReplaySummary::print_moves() const {
  struct Line {
    Ends ends;
    Moves moves;
    std::int64_t net = 0;
  };
  fmt::print("\nTransitions by reason\n");
  for (const auto& [reason, count] : reasons_) print_outcome(reason, count);
  fmt::print(
      "\nMoves by what customers did, or did not do, less those back: the largest; others came by\n"
      "limits, models and rules that changed\n  {:<10} {:<32}    {:<32} {:>9} {:>7} {:>7}\n",
      "", "from", "to", "customers", "net", "others");
  for (const auto& [segmentation, moves] : moves_) {
    std::vector<Line> lines;
    for (const auto& [ends, there] : moves) {
      const auto back = moves.find({ends.second, ends.first});
      const std::uint64_t returned = back == moves.end() ? 0 : back->second.by_customers;
      if (there.by_customers > returned)
        lines.push_back({ends, there, static_cast<std::int64_t>(there.by_customers - returned)});
    }
    std::ranges::stable_sort(lines, std::ranges::greater(), &Line::net);
    if (lines.size() > kMovesShown) lines.resize(kMovesShown);
    for (const Line& line : lines) {
      fmt::print("  {:<10} {:<32} -> {:<32} {:>9} {:>7} {:>7}\n", segmentation, line.ends.first,
                 line.ends.second, line.moves.by_customers, line.net, line.moves.by_others);
    }
  }
}

void ReplaySummary::print_examples() const {
  fmt::print("\nA few of them, explained\n");
  for (const auto& [reason, examples] : examples_) {
    for (const std::string& example : examples) fmt::print("  [{}] {}\n", reason, example);
  }
}

void ReplaySummary::print_models(const Replay& replay) const {
  std::vector<const ModelVersion*> refits;
  std::size_t published = 0;
  for (const ModelVersion& version : replay.versions()) {
    if (version.unchanged) continue;
    ++published;
    if (version.cuts_changed || version.churn_changed) refits.push_back(&version);
  }
  fmt::print(
      "\nModel: {} days trained, {} versions, {} of them with a refit; the last refits, money in "
      "{}\n",
      replay.versions().size(), published, refits.size(), currency_);
  const std::span<const CutSpec> specs = replay.rules().segmentations.cut_specs();
  fmt::print("  {:>7}  {:<10}  {:>10}  {:>9}  {}\n", "version", "trained", "customers", "clusters",
             "cuts");
  const std::size_t first = refits.size() > kModelsShown ? refits.size() - kModelsShown : 0;
  for (std::size_t i = first; i < refits.size(); ++i) {
    const ModelVersion& v = *refits[i];
    std::vector<std::string> axes;
    for (std::size_t c = 0; c < v.cuts.size() && c < specs.size(); ++c) {
      const auto& [quantity, method, bins, cuts] = v.cuts[c];
      axes.push_back(fmt::format("{} {}", name(quantity), cuts_text(quantity, cuts)));
    }
    if (v.cuts.empty()) axes.emplace_back("fixed: few customers");
    fmt::print("  {:>7}  {:<10}  {:>10}  {:>9}  {}\n", v.number,
               to_date(boundary_of(v.trained_epoch)), v.population,
               v.clusters ? v.clusters->cluster_count : 0, fmt::join(axes, "; "));
  }
}

void ReplaySummary::print_outcomes(const Replay& replay) const {
  const OutcomeCounters counters = replay.lane().counters();
  fmt::print("\nRecords by outcome\n");
  print_outcome("applied", counters.applied);
  if (counters.duplicate > 0) print_outcome("duplicate", counters.duplicate);
  for (std::size_t i = 0; i < counters.ignored.size(); ++i) {
    if (counters.ignored[i] == 0) continue;
    const auto reason = static_cast<IgnoredReason>(i);
    const bool is_sale = reason == IgnoredReason::kNoCustomer;
    print_outcome(fmt::format("ignored: {}", name(reason)), counters.ignored[i],
                  is_sale ? unnamed_money(replay.lane(), currency_) : "");
  }
  if (counters.erased > 0) print_outcome("erased", counters.erased);
  for (std::size_t i = 0; i < counters.dead_lettered.size(); ++i) {
    if (counters.dead_lettered[i] == 0) continue;
    print_outcome(fmt::format("dead letter: {}", name(static_cast<DeadLetterReason>(i))),
                  counters.dead_lettered[i]);
  }
  fmt::print("  {:<34}{:>12}  {}\n", "records read", counters.records,
             counters.add_up() ? "(the outcomes add up)" : "(THE OUTCOMES DO NOT ADD UP)");
  if (counters.late > 0) print_outcome("of these late", counters.late);
  if (counters.invoices_settled > 0)
    print_outcome("invoices settled from lines", counters.invoices_settled);
  if (counters.invoices_rejected > 0)
    print_outcome("settled invoices rejected", counters.invoices_rejected);
  if (counters.unfolded > 0) print_outcome("in ledgers beyond entries_max", counters.unfolded);
}

}  // namespace rfm
