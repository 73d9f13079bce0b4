// What is told of all customers at once.
#include <fmt/format.h>

#include <array>
#include <limits>
#include <vector>

#include "admin/state_answers.h"
#include "model/axis_value.h"
#include "state/evaluation.h"
#include "stream/analyse/calendar_month.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr int kDigits = 6;

double risk_of(std::int64_t units) { return static_cast<double>(units) / kRiskUnits; }

void write_profile(JsonText& out, const ProfileSums& sums, const ProfileSums& all) {
  out.key("customers").integer(sums.customers);
  out.key("share").fixed(
      ratio(static_cast<double>(sums.customers), static_cast<double>(all.customers)), kDigits);
  write_money(out, "monetary", sums.monetary);
  out.key("revenue_share")
      .fixed(ratio(currency_units(sums.monetary), currency_units(all.monetary)), kDigits);
  out.key("orders").integer(sums.orders);
  out.key("aov").fixed(sums.order_value(), kDigits);
  out.key("recency_days").fixed(sums.recency_days(), kDigits);
  out.key("frequency").fixed(sums.frequency(), kDigits);
  out.key("monetary_mean").fixed(sums.monetary_mean(), kDigits);
  if (sums.scored > 0) out.key("churn_risk").fixed(sums.churn_risk(), kDigits);
  write_money(out, "value_at_risk", sums.value_at_risk);
}

void write_calibration(JsonText& out, const RiskOutcomes& calibration) {
  out.key("calibration").begin_array();
  for (const RiskOutcome& bin : calibration) {
    if (bin.customers == 0) continue;
    const auto customers = static_cast<double>(bin.customers);
    out.begin_object();
    out.key("risk").fixed(risk_of(bin.risk) / customers, kDigits);
    out.key("observed").fixed(static_cast<double>(bin.gone) / customers, kDigits);
    out.key("customers").integer(bin.customers);
    out.end_object();
  }
  out.end_array();
}

void write_versions(JsonText& out, const PassContext& context) {
  out.key("versions").begin_array();
  for (const LoggedVersion& version : logged_versions(context)) {
    const bool is_model = version.kind == LoggedVersion::Kind::kModel;
    out.begin_object();
    out.key("at").text(to_rfc3339(boundary_of(version.epoch)));
    out.key("kind").text(is_model ? "model" : "rules");
    out.key("number").integer(is_model ? version.model->number : version.rules->version);
    out.key("what").text(is_model ? what_changed(*version.model) : "rules");
    out.end_object();
  }
  out.end_array();
}

std::string_view action_of(const SegmentInfo& info) {
  return info.actions.empty() ? std::string_view() : std::string_view(info.actions.front().text);
}

void write_grid(JsonText& out, const ScoreGrid& grid, const Segmentation& segmentation) {
  out.key("axes").begin_array();
  for (const GridCuts& axis : grid.cuts) {
    out.begin_object();
    out.key("name").text(axis.name);
    out.key("quantity").text(name(axis.quantity));
    out.key("unit").text(unit_of(axis.quantity));
    out.key("cuts").begin_array();
    for (const std::int64_t cut : axis.cuts) write_quantity(out, axis.quantity, cut);
    out.end_array();
    out.end_object();
  }
  out.end_array();
  out.key("coordinates").begin_array();
  for (const GridAxis& axis : grid.axes) {
    out.begin_object();
    out.key("name").text(axis.name);
    out.key("scores").integer(axis.scores);
    out.end_object();
  }
  out.end_array();
  out.key("cells").begin_array();
  for (const GridCell& cell : grid.cells) {
    out.begin_object();
    out.key("scores").begin_array();
    for (const int score : cell.scores) out.integer(score);
    out.end_array();
    out.key("segment").text(cell.segments.empty() ? kUnassignedSegment
                                                  : segmentation.info(cell.segments.front()).name);
    out.key("segments").begin_array();
    for (const std::uint16_t segment : cell.segments) out.text(segmentation.info(segment).name);
    out.end_array();
    out.key("customers").integer(cell.customers);
    write_money(out, "monetary", cell.monetary);
    write_money(out, "monetary_median", cell.monetary_median);
    out.end_object();
  }
  out.end_array();
}

void write_segments(JsonText& out, const Census& census, std::size_t segmentation) {
  const Segmentation& shown = census.rules().segmentations[segmentation];
  out.key("segments").begin_array();
  for (const SegmentProfile& profile : census.segments().of(census.rules(), segmentation)) {
    const SegmentInfo& info = segment_info(shown, profile.segment);
    out.begin_object();
    out.key("name").text(info.name);
    out.key("rank").integer(info.rank);
    out.key("description").text(info.description);
    out.key("action").text(action_of(info));
    write_profile(out, profile.sums, census.segments().all());
    out.end_object();
  }
  out.end_array();
}

// Months in which nothing happened too.
void write_cohort(JsonText& out, const Cohort& cohort, EventTime as_of) {
  out.begin_object();
  out.key("month").text(month_text(cohort.month));
  out.key("customers").integer(cohort.customers);
  out.key("months").begin_array();
  auto known = cohort.months.begin();
  for (CalendarMonth month = cohort.month; month <= calendar_month_of(as_of); ++month) {
    while (known != cohort.months.end() && known->month < month) ++known;
    const bool has_any = known != cohort.months.end() && known->month == month;
    out.begin_object();
    out.key("month").text(month_text(month));
    out.key("buyers").integer(has_any ? known->buyers : 0);
    write_money(out, "revenue", has_any ? known->revenue : Money{});
    out.key("complete").boolean(month_start(month + 1) <= as_of);
    out.end_object();
  }
  out.end_array();
  out.end_object();
}

void write_cohorts(JsonText& out, const Census& census) {
  out.key("cohorts").begin_array();
  for (const Cohort& cohort : census.cohorts().all()) write_cohort(out, cohort, census.as_of());
  out.end_array();
}

void write_lost(JsonText& out, const Census& census) {
  out.key("lost").begin_array();
  for (const LostMonth& month : census.lost().all()) {
    out.begin_object();
    out.key("month").text(month_text(month.month));
    out.key("lost").integer(month.lost);
    out.key("regained").integer(month.regained);
    out.key("complete").boolean(month_start(month.month + 1) <= census.as_of());
    out.end_object();
  }
  out.end_array();
}

void write_spends_less(JsonText& out, const Census& census) {
  out.key("spends_less_customers").integer(census.spends_less().customers());
  out.key("spends_less").begin_array();
  for (const SpendsLess& customer : census.spends_less().sorted()) {
    out.begin_object();
    out.key("customer_id").text(customer.customer_id);
    out.key("frequency").integer(customer.frequency);
    out.key("aov").fixed(customer.order_value(), kDigits);
    out.key("aov_before").fixed(customer.order_value_before(), kDigits);
    write_money(out, "missing", customer.missing());
    out.end_object();
  }
  out.end_array();
}

void write_histogram(JsonText& out, const Census& census) {
  out.key("histogram").begin_array();
  for (std::size_t i = 0; i < census.risk().size(); ++i) {
    out.begin_object();
    out.key("from").fixed(static_cast<double>(i) / kRiskBins, kDigits);
    out.key("to").fixed(static_cast<double>(i + 1) / kRiskBins, kDigits);
    out.key("customers").integer(census.risk()[i].customers);
    write_money(out, "value_at_risk", census.risk()[i].value_at_risk);
    out.end_object();
  }
  out.end_array();
}

void write_bands(JsonText& out, const Census& census, std::size_t segmentation) {
  const Segmentation& shown = census.rules().segmentations[segmentation];
  out.key("bands").begin_array();
  for (const SegmentProfile& profile : census.segments().of(census.rules(), segmentation)) {
    out.begin_object();
    out.key("segment").text(segment_info(shown, profile.segment).name);
    out.key("customers").integer(profile.sums.customers);
    write_money(out, "value_at_risk", profile.sums.value_at_risk);
    out.end_object();
  }
  out.end_array();
}

}  // namespace

std::size_t segmentation_asked(RequestParameters& parameters, const Rules& rules) {
  const std::optional<std::string> asked = parameters.text("segmentation");
  if (!asked) return rules.precedence.front();
  const std::size_t found = rules.segmentations.find(*asked);
  if (found < rules.segmentations.size()) return found;
  std::string names;
  for (const Segmentation& each : rules.segmentations.all())
    names += (names.empty() ? "" : ", ") + each.name();
  parameters.refuse("segmentation", names);
  return rules.precedence.front();
}

void write_listed(JsonText& out, const ListedCustomer& customer, const Rules& rules) {
  const CustomerFacts& facts = customer.facts;
  out.begin_object();
  out.key("customer_id").text(customer.id);
  out.key("country").text(customer.country);
  if (facts.frequency > 0) out.key("recency_days").fixed(recency_days(facts), kDigits);
  out.key("frequency").integer(facts.frequency);
  write_money(out, "monetary", facts.monetary);
  if (facts.frequency > 0)
    out.key("aov").fixed(currency_units(facts.monetary) / facts.frequency, kDigits);
  if (customer.risk) out.key("churn_risk").fixed(risk_of(*customer.risk), kDigits);
  write_money(out, "value_at_risk", customer.value_at_risk);
  out.key("segments").begin_object();
  for (std::size_t s = 0; s < customer.segments.size(); ++s) {
    const Segmentation& segmentation = rules.segmentations[s];
    out.name(segmentation.name()).text(segment_info(segmentation, customer.segments[s]).name);
  }
  out.end_object();
  out.end_object();
}

StateAnswers::Answer StateAnswers::counted(
    RequestParameters& parameters, absl::FunctionRef<void(JsonText&, const Counted&)> write) {
  if (!parameters.status().ok()) return parameters.status();
  const auto made = census();
  if (!made.ok()) return made.status();
  const Census& census = (*made)->sums;
  const Counted counted{(*made)->context, census, segmentation_asked(parameters, census.rules())};
  if (!parameters.status().ok()) return parameters.status();
  return told(counted.context, census.as_of(), [&](JsonText& out) { write(out, counted); });
}

StateAnswers::Answer StateAnswers::segments(const AdminRequest& request) {
  static constexpr std::array<std::string_view, 3> kAllowed = {"segmentation", "from", "to"};
  RequestParameters parameters(request, kAllowed);
  const std::optional<std::int64_t> from = parameters.day("from");
  const std::optional<std::int64_t> to = parameters.day("to");
  parameters.check_range(from, to);
  if (!parameters.status().ok()) return parameters.status();
  const auto kept = books();
  if (!kept.ok()) return kept.status();
  return counted(parameters, [&](JsonText& out, const Counted& counted) {
    const Segmentations& all = counted.context.rules().segmentations;
    const Segmentation& segmentation = all[counted.segmentation];
    out.key("segmentations").begin_array();
    for (const Segmentation& each : all.all()) out.text(each.name());
    out.end_array();
    out.key("segmentation").text(segmentation.name());
    out.key("customers").integer(counted.census.segments().all().customers);
    write_segments(out, counted.census, counted.segmentation);
    write_stock_days(out, (*kept)->sums, segmentation.name(), from, to);
    write_versions(out, counted.context);
  });
}

StateAnswers::Answer StateAnswers::grid(const AdminRequest& request) {
  static constexpr std::array<std::string_view, 1> kAllowed = {"segmentation"};
  RequestParameters parameters(request, kAllowed);
  return counted(parameters, [](JsonText& out, const Counted& counted) {
    const ModelVersion* const version = counted.context.version();
    const Segmentation& shown = counted.context.rules().segmentations[counted.segmentation];
    out.key("segmentation").text(shown.name());
    write_grid(
        out, version == nullptr ? ScoreGrid{} : counted.census.grid(counted.segmentation, *version),
        shown);
  });
}

StateAnswers::Answer StateAnswers::retention(const AdminRequest& request) {
  RequestParameters parameters(request, {});
  return counted(parameters, [](JsonText& out, const Counted& counted) {
    write_cohorts(out, counted.census);
    write_lost(out, counted.census);
    write_spends_less(out, counted.census);
  });
}

StateAnswers::Answer StateAnswers::risk(const AdminRequest& request) {
  static constexpr std::array<std::string_view, 1> kAllowed = {"segmentation"};
  RequestParameters parameters(request, kAllowed);
  return counted(parameters, [](JsonText& out, const Counted& counted) {
    const Census& census = counted.census;
    const Rules& rules = counted.context.rules();
    out.key("segmentation").text(rules.segmentations[counted.segmentation].name());
    out.key("horizon_days").fixed(kChurnHorizonDays, kDigits);
    write_histogram(out, census);
    write_bands(out, census, counted.segmentation);
    write_calibration(out, census.calibration());
    write_money(out, "value_at_risk", census.segments().all().value_at_risk);
    out.key("top").begin_array();
    for (const ListedCustomer& customer : census.most_at_risk().sorted())
      write_listed(out, customer, rules);
    out.end_array();
  });
}

StateAnswers::Answer StateAnswers::model(const AdminRequest& request) {
  RequestParameters parameters(request, {});
  if (!parameters.status().ok()) return parameters.status();
  const auto known = context();
  if (!known.ok()) return known.status();
  const auto made = census();  // What clusters hold is left out while that is in the making.
  const bool is_counted = made.ok() && (*made)->context.version() != nullptr &&
                          (*made)->context.version()->number == known->version()->number;
  return told(*known, boundary_of(known->epoch), [&](JsonText& out) {
    write_models(out, *known, is_counted ? &(*made)->sums : nullptr, silhouettes(*known),
                 forecasts(*known));
  });
}

std::vector<ChurnForecast> StateAnswers::forecasts(const PassContext& known) {
  {
    const std::scoped_lock lock(figures_mutex_);
    if (forecasts_epoch_ == known.epoch) return forecasts_;
  }
  const auto made = forecast_pass_.get(desks_, clock_);
  std::vector<ChurnForecast> forecasts;
  if (made.ok()) forecasts = (*made)->sums.figures();
  const std::scoped_lock lock(figures_mutex_);
  if (!made.ok()) return forecasts_;  // Of the day before, if there are some.
  forecasts_epoch_ = (*made)->context.epoch;
  forecasts_ = std::move(forecasts);
  return forecasts_;
}

StateAnswers::Answer StateAnswers::score(const AdminRequest& request) {
  static constexpr std::array<std::string_view, 4> kAllowed = {"recency_days", "frequency",
                                                               "monetary", "first_purchase_days"};
  constexpr double kDaysMax = 36'500;
  constexpr std::int64_t kFrequencyMax = 1'000;
  RequestParameters parameters(request, kAllowed);
  TypedCustomer typed;
  typed.recency_days = parameters.real("recency_days", 0, 0, kDaysMax);
  typed.frequency = parameters.integer("frequency", 1, 1, kFrequencyMax);
  typed.monetary = parameters.money("monetary").value_or(Money{});
  if (typed.monetary < Money{}) parameters.refuse("monetary", "0 or more");
  typed.first_purchase_days =
      parameters.real("first_purchase_days", typed.recency_days, typed.recency_days, kDaysMax);
  if (!parameters.status().ok()) return parameters.status();
  const auto made = census();
  if (!made.ok()) return made.status();
  const PassContext& context = (*made)->context;
  const Census& census = (*made)->sums;
  if (context.version() == nullptr)
    return absl::UnavailableError("there is no record yet, and so no model");
  return told(context, census.as_of(), [&](JsonText& out) {
    write_score(out, typed, context, census.as_of());
    if (const auto medians = census.population().medians()) {
      out.key("medians").begin_object();
      out.key("recency_days");
      write_quantity(out, Quantity::kRecency, medians->recency_ms);
      out.key("frequency").integer(medians->frequency);
      write_money(out, "monetary", medians->monetary);
      out.end_object();
    }
  });
}

}  // namespace rfm
