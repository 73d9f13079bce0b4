// What models and rules say, by the logs alone.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "admin/state_answers.h"
#include "model/cluster_names.h"
#include "model/nearest_centroid.h"
#include "state/evaluation.h"
#include "state/segmenter.h"
#include "stream/analyse/customer_outlook.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr int kDigits = 6;
constexpr std::ptrdiff_t kVersionsMax = 500;  // The newest.

std::string words_of(double recency, double frequency, double monetary) {
  return fmt::format("last bought {:.0f} days ago, {:.1f} orders, {:.0f} spent", recency, frequency,
                     monetary);
}

void write_cluster(JsonText& out, const ClusterModel& clusters, std::size_t c) {
  const FeatureVector& centroid = clusters.centroids[c];
  const double recency = std::expm1(centroid[0]);
  const double frequency = std::expm1(centroid[1]);
  const double monetary = std::expm1(centroid[2]);
  out.key("name").text(cluster_name(clusters.names[c]));
  out.key("words").text(words_of(recency, frequency, monetary));
  out.key("recency_days").fixed(recency, kDigits);
  out.key("frequency").fixed(frequency, kDigits);
  out.key("monetary").fixed(monetary, kDigits);
}

// The customers of each cluster now; empty: no segmentation is by them.
std::vector<std::int64_t> members_of(const ClusterModel& clusters, const Rules& rules,
                                     const Census& census) {
  for (std::size_t s = 0; s < rules.segmentations.size(); ++s) {
    const Segmentation& segmentation = rules.segmentations[s];
    if (!segmentation.is_cluster()) continue;
    std::vector<std::int64_t> members(static_cast<std::size_t>(clusters.cluster_count));
    for (const SegmentProfile& profile : census.segments().of(rules, s)) {
      for (std::size_t c = 0; c < members.size(); ++c) {
        if (segment_info(segmentation, profile.segment).name == cluster_name(clusters.names[c]))
          members[c] = profile.sums.customers;
      }
    }
    return members;
  }
  return {};
}

void write_clusters(JsonText& out, const ModelVersion& version,
                    const std::vector<std::int64_t>& members) {
  const ClusterModel& clusters = *version.clusters;
  std::int64_t all = 0;
  for (const std::int64_t count : members) all += count;
  out.key("clusters").begin_array();
  for (std::size_t c = 0; c < static_cast<std::size_t>(clusters.cluster_count); ++c) {
    out.begin_object();
    write_cluster(out, clusters, c);
    if (c < members.size()) {
      out.key("customers").integer(members[c]);
      out.key("share").fixed(ratio(static_cast<double>(members[c]), static_cast<double>(all)),
                             kDigits);
    }
    out.end_object();
  }
  out.end_array();
  out.key("inertia").fixed(clusters.inertia_per_customer, kDigits);
}

// Whether it has a churn model that the version before it (null: none) has not.
bool brings_churn_model(const ModelVersion& version, const ModelVersion* before) {
  return version.churn && (before == nullptr || before->churn != version.churn);
}

// `forecast`: null, or how good it was.
void write_churn(JsonText& out, const ChurnModel& churn, const ChurnForecast* forecast) {
  out.key("churn").begin_object();
  out.key("nbd_r").fixed(churn.nbd_r, kDigits);
  out.key("nbd_alpha_days").fixed(churn.nbd_alpha_days, kDigits);
  out.key("intercept").fixed(churn.intercept, kDigits);
  out.key("coefficients").begin_array();
  for (const double coefficient : churn.coefficient) out.fixed(coefficient, kDigits);
  out.end_array();
  if (forecast != nullptr) {
    if (forecast->auc) out.key("auc").fixed(*forecast->auc, kDigits);
    out.key("brier").fixed(forecast->brier, kDigits);
    out.key("calibration_error").fixed(forecast->ece, kDigits);
    out.key("gone_share").fixed(forecast->gone_share, kDigits);
    out.key("judged_customers").integer(static_cast<std::int64_t>(forecast->customers));
  }
  out.end_object();
}

void write_cuts(JsonText& out, const ModelVersion& version) {
  out.key("cuts").begin_array();
  for (const TrainedCuts& trained : version.cuts) {
    out.begin_object();
    out.key("quantity").text(name(trained.quantity));
    out.key("method").text(name(trained.method));
    out.key("unit").text(unit_of(trained.quantity));
    out.key("cuts").begin_array();
    for (const std::int64_t cut : trained.cuts) write_quantity(out, trained.quantity, cut);
    out.end_array();
    out.end_object();
  }
  out.end_array();
}

// A row with invoices that come to what was typed, evenly from the first to the last.
CustomerRow row_of(const TypedCustomer& typed, const Rules& rules, EventTime as_of) {
  const auto before = [&](double days) {
    return as_of - Duration{std::llround(days * static_cast<double>(kDayMs))};
  };
  const EventTime first = before(typed.first_purchase_days);
  const EventTime last = before(typed.recency_days);
  CustomerRow row;
  row.rules = static_cast<std::uint32_t>(rules.version);
  row.clock = as_of;
  row.birth = 1;
  const std::int64_t part = typed.monetary.units / typed.frequency;
  for (std::int64_t i = 0; i < typed.frequency; ++i) {
    const std::int64_t steps = std::max<std::int64_t>(1, typed.frequency - 1);
    const EventTime time = i + 1 == typed.frequency ? last : first + (last - first) * i / steps;
    const Money amount{i == 0 ? typed.monetary.units - part * (typed.frequency - 1) : part};
    row.ledger.put(
        {.number_hash = static_cast<std::uint64_t>(i) + 1, .amount = amount, .time = time}, rules,
        as_of);
  }
  row.ledger.refresh(rules, as_of);
  return row;
}

void write_distances(JsonText& out, const Segmenter& segmenter, const CustomerFacts& facts) {
  const ClusterModel* const clusters =
      segmenter.is_by_centroids() ? segmenter.centroids(*facts.version) : nullptr;
  if (clusters == nullptr) return;
  const FeatureVector x = segmenter.features(facts);
  out.key("distances").begin_object();
  for (std::size_t c = 0; c < static_cast<std::size_t>(clusters->cluster_count); ++c) {
    const Call call{.code = static_cast<std::uint16_t>(kFirstSegment + c)};
    const SegmentCode segment = segmenter.segment_of(call, *facts.version);
    out.name(segment_info(segmenter.segmentation(), segment).name)
        .fixed(std::sqrt(squared_distance(clusters->weight, x, clusters->centroids[c])), kDigits);
  }
  out.end_object();
}

void write_axes(JsonText& out, const Segmenter& segmenter, const CustomerFacts& facts) {
  const std::optional<AxisScores> scores = segmenter.scores(facts);
  if (!scores) return;
  const std::span<const Axis> axes = segmenter.segmentation().axes();
  out.key("scores").begin_object();
  for (std::size_t a = 0; a < axes.size(); ++a) out.key(axes[a].name).integer((*scores)[a]);
  out.end_object();
  out.key("cuts").begin_object();
  for (std::size_t a = 0; a < axes.size(); ++a) {
    out.key(axes[a].name).begin_array();
    for (const std::int64_t cut : segmenter.cuts_of(a, *facts.version))
      write_quantity(out, axes[a].cuts.quantity, cut);
    out.end_array();
  }
  out.end_object();
}

Money year_spend(const TypedCustomer& typed, EventTime as_of, const CustomerRow& row) {
  LedgerHistory history;
  history.read(row.ledger);
  return typed.frequency == 0 ? Money{} : history.net_spend(as_of - kYearSpan, as_of);
}

}  // namespace

std::string what_changed(const ModelVersion& version) {
  std::string what;
  const auto add = [&](std::string_view words) {
    if (!what.empty()) what += ", ";
    what += words;
  };
  switch (version.cluster_change) {
    case ClusterChange::kNone:
      break;
    case ClusterChange::kFirstFit:
      add("first clusters");
      break;
    case ClusterChange::kMoved:
      add("centroids moved");
      break;
    case ClusterChange::kRefitWarm:
      add("clusters fitted again");
      break;
    case ClusterChange::kRefitChallenger:
      add("other clusters that fit better");
      break;
  }
  if (version.cuts_changed) add("cuts");
  if (version.churn_changed) add("churn model");
  return what.empty() ? "no change" : what;
}

std::vector<LoggedVersion> logged_versions(const PassContext& context) {
  std::vector<LoggedVersion> versions;
  const ModelTimeline& models = context.logs->models;
  if (!models.started()) return versions;
  std::int64_t number = 0;
  std::int64_t rules_version = context.logs->first.version;
  const std::int64_t last = std::min(context.epoch, models.trained_through() + 1);
  for (std::int64_t epoch = models.start_epoch(); epoch <= last; ++epoch) {
    const Rules& rules = context.logs->context().rules_in(epoch);
    if (rules.version != rules_version)
      versions.push_back({.kind = LoggedVersion::Kind::kRules, .epoch = epoch, .rules = &rules});
    rules_version = rules.version;
    const ModelVersion* const model = models.effective_in(epoch);
    if (model->number != number)
      versions.push_back({.kind = LoggedVersion::Kind::kModel, .epoch = epoch, .model = model});
    number = model->number;
  }
  return versions;
}

std::vector<PastChurnModel> past_churn_models(const PassContext& context) {
  std::vector<PastChurnModel> models;
  const ModelVersion* before = nullptr;
  for (const LoggedVersion& version : logged_versions(context)) {
    if (version.epoch > context.epoch - kRiskEpochs) break;
    if (version.model == nullptr) continue;
    if (brings_churn_model(*version.model, before))
      models.push_back({.at = boundary_of(version.epoch), .model = *version.model->churn});
    before = version.model;
  }
  return models;
}

void write_models(JsonText& out, const PassContext& context, const Census* census,
                  const Silhouettes& silhouettes, std::span<const ChurnForecast> forecasts) {
  std::vector<LoggedVersion> versions = logged_versions(context);
  std::erase_if(versions, [](const LoggedVersion& v) { return v.model == nullptr; });
  out.key("total").integer(static_cast<std::int64_t>(versions.size()));
  out.key("versions").begin_array();
  const ModelVersion* before = nullptr;
  auto forecast = forecasts.end();  // Of the churn model in force.
  for (const LoggedVersion& version : versions) {
    const ModelVersion& model = *version.model;
    if (brings_churn_model(model, before))
      forecast = std::ranges::find(forecasts, boundary_of(version.epoch), &ChurnForecast::at);
    before = &model;
    if (&versions.back() - &version >= kVersionsMax) continue;
    const bool is_newest = &version == &versions.back();
    out.begin_object();
    out.key("number").integer(model.number);
    out.key("at").text(to_rfc3339(boundary_of(version.epoch)));
    out.key("what").text(what_changed(model));
    out.key("customers").integer(model.population);
    if (model.clusters) {
      const bool is_counted = is_newest && census != nullptr;
      write_clusters(out, model,
                     is_counted ? members_of(*model.clusters, census->rules(), *census)
                                : std::vector<std::int64_t>{});
      if (const auto found = silhouettes.find(model.number); found != silhouettes.end())
        out.key("silhouette").fixed(found->second, kDigits);
      out.key("drift").fixed(context.logs->models.drift(version.epoch), kDigits);
    }
    write_cuts(out, model);
    if (model.churn)
      write_churn(out, *model.churn, forecast == forecasts.end() ? nullptr : &*forecast);
    out.end_object();
  }
  out.end_array();
}

void write_score(JsonText& out, const TypedCustomer& typed, const PassContext& context,
                 EventTime as_of) {
  const Rules& rules = context.rules();
  CustomerRow row = row_of(typed, rules, as_of);
  CustomerFacts facts = facts_of(row, rules, context.version(), as_of);
  out.key("segments").begin_array();
  for (std::size_t s = 0; s < rules.segmentations.size(); ++s) {
    const Segmenter segmenter(rules, s);
    SegmentState state;
    state.call = segmenter.call_at_change(facts, {});
    state.segment = segmenter.segment_of(state.call, *facts.version);
    state.since = facts.last_purchase;
    row.segments.push_back(state);
    const SegmentInfo& info = segment_info(segmenter.segmentation(), state.segment);
    out.begin_object();
    out.key("segmentation").text(segmenter.segmentation().name());
    out.key("segment").text(info.name);
    out.key("description").text(info.description);
    out.key("action").text(info.actions.empty() ? "" : info.actions.front().text);
    write_axes(out, segmenter, facts);
    write_distances(out, segmenter, facts);
    out.end_object();
  }
  out.end_array();
  if (const std::optional<double> risk = churn_risk_of(facts)) {
    out.key("churn_risk").fixed(*risk, kDigits);
    out.key("value");
    write_money(out, value_at_risk_of(static_cast<std::int64_t>(*risk * kRiskUnits + .5),
                                      year_spend(typed, as_of, row)));
  }
  out.key("if_silent").begin_array();
  for (std::size_t s = 0; s < rules.segmentations.size(); ++s) {
    const std::optional<NextChange> next = next_change(s, row, facts, rules);
    if (!next) continue;
    out.begin_object();
    out.key("segmentation").text(rules.segmentations[s].name());
    out.key("segment").text(segment_info(rules.segmentations[s], next->to).name);
    out.key("at").text(to_rfc3339(next->at));
    out.end_object();
  }
  out.end_array();
}

}  // namespace rfm
