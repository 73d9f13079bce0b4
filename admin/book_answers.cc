// What the books say: sales, stocks of segments by day, flows, and the customers who moved.
#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "admin/state_answers.h"
#include "state/epoch.h"
#include "stream/analyse/calendar_month.h"
#include "stream/analyse/money_sum.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr int kDigits = 6;
constexpr double kUnitsPerUnit = 1e4;
constexpr std::int64_t kDaysByDefault = 90;
constexpr std::size_t kProductsMax = 200;
constexpr std::size_t kConcentrationPoints = 20;

struct DayRange {
  std::int64_t from = 0;
  std::int64_t to = 0;

  bool holds(std::int64_t day) const { return day >= from && day <= to; }
};

std::int64_t day_of(EventTime as_of) { return as_of == kBeforeAll ? 0 : epoch_of(as_of); }

// Both are inclusive. `first`: where it begins by default; absent: 90 days before it ends.
DayRange range_asked(RequestParameters& parameters, EventTime as_of,
                     std::optional<std::int64_t> first) {
  DayRange range;
  const std::optional<std::int64_t> from = parameters.day("from");
  const std::optional<std::int64_t> to = parameters.day("to");
  parameters.check_range(from, to);
  range.to = to.value_or(day_of(as_of));
  range.from = from.value_or(first.value_or(range.to - kDaysByDefault));
  return range;
}

void write_sums(JsonText& out, const SalesSums& sums) {
  write_money(out, "gross", sums.gross);
  write_money(out, "credits", sums.credits);
  write_money(out, "net", sums.net());
}

void write_sales(JsonText& out, const SalesSums& sums) {
  write_sums(out, sums);
  out.key("invoices").integer(sums.invoices);
  out.key("unnamed_records").integer(sums.unnamed_records);
  out.key("units").fixed(static_cast<double>(sums.units) / kUnitsPerUnit, 4);
}

std::string date_of(std::int64_t day) { return to_date(boundary_of(day)); }

void write_range(JsonText& out, const DayRange& range) {
  out.key("from").text(date_of(range.from));
  out.key("to").text(date_of(range.to));
}

void write_since(JsonText& out, std::optional<EventTime> since) {
  out.key("since");
  since ? out.text(to_rfc3339(*since)) : out.raw("null");
}

// Days, countries, months and the part without a customer, of the days in the range.
void write_days(JsonText& out, const SalesSummary& sales, const DayRange& range) {
  std::map<std::int64_t, SalesSums> days;
  std::map<std::string, SalesSums> countries;
  std::map<CalendarMonth, SalesSums> months;
  SalesSums unnamed;
  for (const DaySales& each : sales.days()) {
    if (!range.holds(each.day)) continue;
    days[each.day].add(each.sums);
    countries[each.country].add(each.sums);
    months[calendar_month_of(boundary_of(each.day))].add(each.sums);
    if (each.buyer == Buyer::kUnnamed) unnamed.add(each.sums);
  }
  out.key("days").begin_array();
  for (const auto& [day, sums] : days) {
    out.begin_object();
    out.key("date").text(date_of(day));
    write_sales(out, sums);
    out.key("customers").integer(sums.customers);
    out.end_object();
  }
  out.end_array();
  out.key("countries").begin_array();
  for (const auto& [country, sums] : countries) {
    out.begin_object();
    out.key("country").text(country);
    write_sales(out, sums);
    out.end_object();
  }
  out.end_array();
  out.key("months").begin_array();
  for (const auto& [month, sums] : months) {
    out.begin_object();
    out.key("month").text(month_text(month));
    write_sales(out, sums);
    out.end_object();
  }
  out.end_array();
  out.key("unnamed").begin_object();
  write_sums(out, unnamed);
  out.key("records").integer(unnamed.unnamed_records);
  out.end_object();
}

// Hours and products of the months that the range touches.
void write_months(JsonText& out, const SalesSummary& sales, const DayRange& range) {
  const std::int64_t first = calendar_month_of(boundary_of(range.from));
  const std::int64_t last = calendar_month_of(boundary_of(range.to));
  std::map<int, SalesSums> hours;
  for (const HourSales& each : sales.hours()) {
    if (each.month >= first && each.month <= last) hours[each.hour_of_week].add(each.sums);
  }
  out.key("hours").begin_array();
  for (const auto& [hour, sums] : hours) {
    out.begin_object();
    out.key("weekday").integer(hour / 24 + 1);
    out.key("hour").integer(hour % 24);
    write_sums(out, sums);
    out.key("invoices_and_unnamed_sales").integer(sums.invoices_and_unnamed_sales);
    out.end_object();
  }
  out.end_array();
  std::map<std::string, ProductSales> products;
  for (ProductSales& each : sales.products()) {
    if (each.month < first || each.month > last) continue;
    ProductSales& product = products[each.product];
    product.sums.add(each.sums);
    product.description = std::move(each.description);
  }
  const SalesSums unallocated = products[""].sums;
  products.erase("");
  std::vector<std::pair<std::string, ProductSales>> largest(products.begin(), products.end());
  std::ranges::stable_sort(largest, std::greater<>(),
                           [](const auto& each) { return each.second.sums.net(); });
  if (largest.size() > kProductsMax) largest.resize(kProductsMax);
  out.key("products").begin_array();
  for (const auto& [code, product] : largest) {
    out.begin_object();
    out.key("stock_code").text(code);
    out.key("description").text(product.description);
    write_sums(out, product.sums);
    out.key("units").fixed(static_cast<double>(product.sums.units) / kUnitsPerUnit, 4);
    out.end_object();
  }
  out.end_array();
  out.key("unallocated").begin_object();
  write_sums(out, unallocated);
  out.end_object();
}

void write_census_part(JsonText& out, const Census& census, std::size_t segmentation) {
  const Rules& rules = census.rules();
  out.key("segments").begin_array();
  for (const SegmentCountry& each : census.segments().countries(rules, segmentation)) {
    out.begin_object();
    out.key("segment").text(segment_info(rules.segmentations[segmentation], each.segment).name);
    out.key("country").text(each.country);
    out.key("customers").integer(each.customers);
    write_money(out, "monetary", each.monetary);
    out.end_object();
  }
  out.end_array();
  const std::vector<ConcentrationPoint> points =
      census.population().concentration(kConcentrationPoints);
  out.key("concentration").begin_array();
  for (const ConcentrationPoint& point : points) {
    out.begin_object();
    out.key("customers_share")
        .fixed(ratio(static_cast<double>(point.customers),
                     static_cast<double>(points.back().customers)),
               kDigits);
    out.key("revenue_share")
        .fixed(ratio(currency_units(point.monetary), currency_units(points.back().monetary)),
               kDigits);
    out.end_object();
  }
  out.end_array();
}

std::optional<Reason> reason_asked(RequestParameters& parameters) {
  const std::optional<std::string> asked = parameters.text("reason");
  if (!asked) return std::nullopt;
  std::string names;
  for (int i = 0; i < kReasonCount; ++i) {
    const auto reason = static_cast<Reason>(i);
    if (name(reason) == *asked) return reason;
    names += (i == 0 ? "" : ", ") + std::string(name(reason));
  }
  parameters.refuse("reason", names);
  return std::nullopt;
}

MovesAsked::By by_asked(RequestParameters& parameters) {
  const std::string asked = parameters.text("by").value_or("gross");
  if (asked == "net" && parameters.text("reason"))
    parameters.refuse("by", "gross, where a reason is given");
  if (asked == "net") return MovesAsked::By::kNet;
  if (asked != "gross") parameters.refuse("by", "gross, net");
  return MovesAsked::By::kGross;
}

absl::Status not_kept(std::string_view what) {
  return absl::FailedPreconditionError("the state keeps no books of " + std::string(what) +
                                       " (sales.enabled, moves.enabled)");
}

void write_flows(JsonText& out, const MovesSummary& moves, const MovesAsked& asked) {
  const DayRange range{asked.from_day, asked.to_day};
  std::map<std::tuple<std::string, std::string, Reason, bool>, DayFlow> flows;
  std::map<std::int64_t, std::pair<std::int64_t, std::int64_t>> days;  // Moves, actionable.
  for (const DayFlow& each : moves.flows()) {
    if (each.segmentation != asked.segmentation || !range.holds(each.day)) continue;
    if (asked.reason && each.reason != *asked.reason) continue;
    DayFlow& flow = flows[{each.from, each.to, each.reason, each.is_actionable}];
    flow.moves += each.moves;
    add_to(flow.monetary, each.monetary);
    days[each.day].first += each.moves;
    if (each.is_actionable) days[each.day].second += each.moves;
  }
  out.key("flows").begin_array();
  for (const auto& [key, sums] : flows) {
    const auto& [from, to, reason, is_actionable] = key;
    out.begin_object();
    out.key("from").text(from);
    out.key("to").text(to);
    out.key("reason").text(name(reason));
    out.key("actionable").boolean(is_actionable);
    out.key("moves").integer(sums.moves);
    write_money(out, "monetary", sums.monetary);
    out.end_object();
  }
  out.end_array();
  out.key("days").begin_array();
  for (const auto& [day, counts] : days) {
    out.begin_object();
    out.key("date").text(date_of(day));
    out.key("moves").integer(counts.first);
    out.key("actionable").integer(counts.second);
    out.end_object();
  }
  out.end_array();
}

void write_move(JsonText& out, const CustomerMove& move) {
  out.key("date").text(date_of(move.day));
  out.key("from").text(move.from);
  out.key("to").text(move.to);
  out.key("reason").text(name(move.reason));
  out.key("actionable").boolean(move.is_actionable);
}

}  // namespace

void write_history(JsonText& out, const std::vector<CustomerMove>& moves) {
  out.key("history").begin_array();
  for (const CustomerMove& move : moves) {
    out.begin_object();
    out.key("segmentation").text(move.segmentation);
    write_move(out, move);
    out.end_object();
  }
  out.end_array();
}

void write_stock_days(JsonText& out, const BookSums& books, std::string_view segmentation,
                      std::optional<std::int64_t> from, std::optional<std::int64_t> to) {
  using Stock = std::map<std::string, DayStock>;  // By segment.
  Stock stock;
  std::map<std::int64_t, Stock> shown;
  const std::int64_t newest = day_of(books.as_of());
  const std::int64_t last = std::min(to.value_or(newest), newest);
  const std::vector<DayStock> changes = books.moves().changes_of(segmentation);
  auto change = changes.begin();
  if (change != changes.end()) {
    // A stock is that of the day before, until it changes.
    for (std::int64_t day = std::max(from.value_or(change->day), change->day); day <= last; ++day) {
      for (; change != changes.end() && change->day <= day; ++change) {
        DayStock& changed = stock[change->segment];
        changed.customers += change->customers;
        add_to(changed.monetary, change->monetary);
      }
      shown[day] = stock;
    }
  }
  out.key("days").begin_array();
  for (const auto& [day, segments] : shown) {
    out.begin_object();
    out.key("date").text(date_of(day));
    out.key("segments").begin_object();
    for (const auto& [segment, sums] : segments) {
      if (sums.customers == 0 && sums.monetary == Money{}) continue;
      out.name(segment).begin_array();
      out.integer(sums.customers);
      write_money(out, sums.monetary);
      out.end_array();
    }
    out.end_object();
    out.end_object();
  }
  out.end_array();
}

absl::StatusOr<std::shared_ptr<const StateAnswers::BookPass::Made>> StateAnswers::books() {
  return books_.get(desks_, clock_);
}

StateAnswers::Answer StateAnswers::sales(const AdminRequest& request) {
  static constexpr std::array<std::string_view, 3> kAllowed = {"segmentation", "from", "to"};
  RequestParameters parameters(request, kAllowed);
  if (!parameters.status().ok()) return parameters.status();
  const auto kept = books();
  if (!kept.ok()) return kept.status();
  const auto counted = census();
  if (!counted.ok()) return counted.status();
  const BookSums& sums = (*kept)->sums;
  if (!sums.keeps_sales()) return not_kept("sales");
  const std::vector<DaySales> days = sums.sales().days();
  std::optional<std::int64_t> first;
  if (!days.empty()) first = days.front().day;
  const DayRange range = range_asked(parameters, sums.as_of(), first);
  const std::size_t s = segmentation_asked(parameters, (*counted)->context.rules());
  if (!parameters.status().ok()) return parameters.status();
  return told((*kept)->context, sums.as_of(), [&](JsonText& out) {
    write_since(out, sums.since());
    write_range(out, range);
    write_days(out, sums.sales(), range);
    write_months(out, sums.sales(), range);
    write_census_part(out, (*counted)->sums, s);
  });
}

absl::StatusOr<MovesAsked> StateAnswers::moves_asked(RequestParameters& parameters,
                                                     const BookPass::Made& books) {
  if (!books.sums.keeps_moves()) return not_kept("moves");
  const Rules& rules = books.context.rules();
  MovesAsked asked;
  asked.segmentation = rules.segmentations[segmentation_asked(parameters, rules)].name();
  const DayRange range = range_asked(parameters, books.sums.as_of(), std::nullopt);
  asked.from_day = range.from;
  asked.to_day = range.to;
  asked.by = by_asked(parameters);
  asked.reason = reason_asked(parameters);
  asked.from_segment = parameters.utf8("from_segment").value_or("");
  asked.to_segment = parameters.utf8("to_segment").value_or("");
  asked.size = static_cast<std::size_t>(parameters.integer("size", 50, 1, 500));
  asked.page = static_cast<std::size_t>(
      parameters.integer("page", 0, 0, 10'000 / static_cast<std::int64_t>(asked.size) - 1));
  if (!parameters.status().ok()) return parameters.status();
  return asked;
}

StateAnswers::Answer StateAnswers::transitions(const AdminRequest& request) {
  static constexpr std::array<std::string_view, 4> kAllowed = {"segmentation", "from", "to",
                                                               "reason"};
  RequestParameters parameters(request, kAllowed);
  if (!parameters.status().ok()) return parameters.status();
  const auto kept = books();
  if (!kept.ok()) return kept.status();
  absl::StatusOr<MovesAsked> asked = moves_asked(parameters, **kept);
  if (!asked.ok()) return asked.status();
  asked->size = 1;  // Only counts are asked of it.
  const auto made = moved(*asked);
  if (!made.ok()) return made.status();
  return told((*kept)->context, (*kept)->sums.as_of(), [&](JsonText& out) {
    out.key("segmentation").text(asked->segmentation);
    write_since(out, (*kept)->sums.since());
    write_range(out, {asked->from_day, asked->to_day});
    write_flows(out, (*kept)->sums.moves(), *asked);
    out.key("net").begin_array();
    for (const auto& [segments, customers] : (*made)->sums.net()) {
      out.begin_object();
      out.key("from").text(segments.first);
      out.key("to").text(segments.second);
      out.key("customers").integer(customers);
      out.end_object();
    }
    out.end_array();
    out.key("came_back").integer((*made)->sums.came_back());
    out.key("moved_customers").integer((*made)->sums.total());
    write_money(out, "moved_monetary", (*made)->sums.monetary());
  });
}

StateAnswers::Answer StateAnswers::moved_customers(const AdminRequest& request) {
  static constexpr std::array<std::string_view, 9> kAllowed = {
      "segmentation", "from", "to", "by", "reason", "from_segment", "to_segment", "page", "size"};
  RequestParameters parameters(request, kAllowed);
  if (!parameters.status().ok()) return parameters.status();
  const auto kept = books();
  if (!kept.ok()) return kept.status();
  const absl::StatusOr<MovesAsked> asked = moves_asked(parameters, **kept);
  if (!asked.ok()) return asked.status();
  const auto made = moved(*asked);
  if (!made.ok()) return made.status();
  return told((*made)->context, (*made)->sums.as_of(), [&](JsonText& out) {
    out.key("segmentation").text(asked->segmentation);
    write_range(out, {asked->from_day, asked->to_day});
    out.key("total").integer((*made)->sums.total());
    out.key("customers").begin_array();
    for (const MovedSums::Customer& customer : (*made)->sums.page()) {
      out.begin_object();
      out.key("customer_id").text(customer.id);
      write_money(out, "monetary", customer.monetary);
      out.key("moves").begin_array();
      for (const CustomerMove& move : customer.moves) {
        out.begin_object();
        write_move(out, move);
        out.end_object();
      }
      out.end_array();
      out.end_object();
    }
    out.end_array();
  });
}

}  // namespace rfm
