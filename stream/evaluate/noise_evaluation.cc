#include "stream/evaluate/noise_evaluation.h"

#include <algorithm>
#include <tuple>

#include "model/day.h"
#include "state/damping.h"
#include "state/evaluation.h"

namespace rfm {
namespace {

constexpr std::size_t kBusiestShown = 5;
constexpr double kYearDays = 365.25;
constexpr Duration kContradiction = std::chrono::hours{24 * 7};

double days_between(EventTime from, EventTime to) {
  return static_cast<double>((to - from).count()) / kDayMs;
}

}  // namespace

void MoveFigures::add(const MoveFigures& other) {
  all += other.all;
  actionable += other.actionable;
  for (std::size_t i = 0; i < kUndoneDays.size(); ++i) {
    undone[i] += other.undone[i];
    by_noise[i] += other.by_noise[i];
  }
}

NoiseEvaluation::NoiseEvaluation(const Rules& rules)
    : rules_(rules), writer_({.application = "rfmstream"}) {}

std::uint32_t NoiseEvaluation::index_of(const Transition& t) {
  const auto [found, is_new] =
      index_.emplace(t.row->id, static_cast<std::uint32_t>(customers_.size()));
  if (is_new) customers_.push_back({.id = t.row->id, .first = t.effective_at()});
  return found->second;
}

void NoiseEvaluation::on_transition(const Transition& t) {
  const Segmentation& segmentation = rules_.segmentations[t.segmentation];
  const std::uint32_t index = index_of(t);
  Customer& customer = customers_[index];
  const CustomerFacts& after = t.after;
  customer.frequency = std::max(customer.frequency, after.frequency);
  ++report_.transitions;

  const TransitionSubject subject{t.row->id, t.row->birth, t.consent};
  writer_.write(t, subject, {.live_after = kBeforeAll});
  bytes_ += subject.id.size() + writer_.body().size();
  for (const Header& header : writer_.headers()) bytes_ += header.name.size() + header.value.size();

  if (t.from == kNoSegmentCode && t.reason == Reason::kPurchase)
    ++report_.first_purchases[{t.segmentation, t.to}];
  const bool is_move = t.from >= kFirstSegment && t.to >= kFirstSegment;
  const bool actionable = t.restraint == Restraint::kNone && t.action != nullptr;
  if (actionable && t.to < kFirstSegment) ++report_.without_action;
  if (is_move) {
    ++customer.moves;
    customer.actionable_moves += actionable ? 1U : 0U;
    if (t.reason == Reason::kInactivity && t.direction == Direction::kUp) ++report_.silence_up;
    if (t.reason == Reason::kPurchase && t.direction == Direction::kDown) ++report_.purchase_down;
    if (is_own(t.reason) && t.cause == nullptr) ++report_.late_acts;
  }
  const bool falls = is_move && t.reason == Reason::kInactivity &&
                     segment_info(segmentation, t.to).lost &&
                     !segment_info(segmentation, t.from).lost;
  if (falls) {
    falls_.push_back({index, t.segmentation, t.effective_at(), after.last_purchase});
    const double silence = recency_days(after);
    const auto [least, is_first] = report_.lost_silence_min.emplace(t.segmentation, silence);
    if (!is_first) least->second = std::min(least->second, silence);
  }
  moves_.push_back({.at = t.effective_at(),
                    .last_purchase = after.last_purchase,
                    .monetary = after.monetary.units,
                    .customer = index,
                    .frequency = after.frequency,
                    .from = t.from,
                    .to = t.to,
                    .segmentation = t.segmentation,
                    .reason = t.reason,
                    .actionable = actionable,
                    .is_move = is_move});
}

void NoiseEvaluation::add_undone(NoiseReport& report) const {
  std::vector<const Move*> order;
  order.reserve(moves_.size());
  for (const Move& move : moves_) order.push_back(&move);
  const auto place = [](const Move* move) {
    return std::tuple(move->customer, move->segmentation);
  };
  std::ranges::stable_sort(order, {}, place);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Move& move = *order[i];
    if (!move.is_move) continue;
    MoveFigures& figures = report.moves[{move.segmentation, move.reason}];
    ++figures.all;
    if (!move.actionable) continue;
    ++figures.actionable;
    for (std::size_t next = i + 1; next < order.size() && place(order[next]) == place(order[i]);
         ++next) {
      if (order[next]->to != move.from) continue;
      const double days = days_between(move.at, order[next]->at);
      for (std::size_t d = 0; d < kUndoneDays.size(); ++d) {
        if (days > kUndoneDays[d]) continue;
        ++figures.undone[d];
        figures.by_noise[d] += is_own(order[next]->reason) ? 0U : 1U;
      }
      break;
    }
  }
}

void NoiseEvaluation::add_instants(NoiseReport& report) const {
  std::vector<const Move*> order;
  for (const Move& move : moves_) {
    if (move.actionable) order.push_back(&move);
  }
  std::ranges::stable_sort(order, {}, [](const Move* move) { return move->customer; });
  for (std::size_t i = 1; i < order.size(); ++i) {
    const Move& before = *order[i - 1];
    const Move& move = *order[i];
    if (before.customer != move.customer) continue;
    if (before.at == move.at) {
      ++report.several_at_an_instant;
      continue;
    }
    const bool same = before.last_purchase == move.last_purchase &&
                      before.frequency == move.frequency && before.monetary == move.monetary;
    if (same && !is_own(move.reason) && move.at - before.at < kContradiction)
      ++report.contradicting;
  }
}

NoiseReport NoiseEvaluation::report(EventTime end) const {
  NoiseReport report = report_;
  report.customers = customers_.size();
  if (report.transitions > 0)
    report.bytes_mean = static_cast<double>(bytes_) / static_cast<double>(report.transitions);
  std::vector<std::uint64_t> single;
  for (const Customer& customer : customers_) {
    report.customer_years += std::max(0.0, days_between(customer.first, end)) / kYearDays;
    if (customer.frequency == 1) single.push_back(customer.actionable_moves);
    report.busiest.emplace_back(customer.id, customer.moves);
  }
  if (!single.empty()) {
    std::ranges::sort(single);
    report.single_median = single[single.size() / 2];
    report.single_max = single.back();
  }
  std::ranges::stable_sort(report.busiest, [](const auto& a, const auto& b) {
    return std::tie(b.second, a.first) < std::tie(a.second, b.first);
  });
  report.busiest.resize(std::min(report.busiest.size(), kBusiestShown));
  add_undone(report);
  add_instants(report);
  return report;
}

KeptFalls kept_falls(const NoiseEvaluation& undamped, const NoiseEvaluation& damped) {
  // By customer, segmentation and the purchase that the silence is counted from: the fall's time.
  using Silence = std::tuple<std::string, std::uint8_t, EventTime>;
  std::map<Silence, EventTime> seen;
  for (const LostFall& fall : damped.falls())
    seen.emplace(Silence{damped.customer(fall.customer), fall.segmentation, fall.last_purchase},
                 fall.at);
  KeptFalls kept;
  std::vector<double> delays;
  std::map<Silence, EventTime> first;
  for (const LostFall& fall : undamped.falls())
    first.emplace(Silence{undamped.customer(fall.customer), fall.segmentation, fall.last_purchase},
                  fall.at);
  for (const auto& [silence, at] : first) {
    ++kept.undamped;
    const auto found = seen.find(silence);
    if (found == seen.end()) continue;
    ++kept.kept;
    delays.push_back(days_between(at, found->second));
  }
  if (!delays.empty()) {
    std::ranges::sort(delays);
    kept.delay_p90 = delays[(delays.size() - 1) * 9 / 10];
  }
  return kept;
}

}  // namespace rfm
