// The presets that are in force by default: rfm, cluster, churn (model/segmentation_published.h has
// the others), and the search among all of them.
#include <algorithm>
#include <utility>

#include "model/segmentation.h"
#include "model/segmentation_parts.h"
#include "model/segmentation_published.h"

namespace rfm {

namespace {

SegmentAction while_in(std::string segmentation, std::string segment, SegmentAction action) {
  action.where_segmentation = std::move(segmentation);
  action.where_segments = {std::move(segment)};
  return action;
}

SegmentationSpec rfm_preset() {
  SegmentationSpec spec;
  spec.name = "rfm";
  spec.stay_ms = 8 * kPresetDayMs;
  spec.axes = quintile_axes();
  // The grid over R and FM, but one purchase leads to New.
  spec.map = {
      {"New", {{"r", 5, 5}, {"f", 1, 1}}},
      {"New", {{"r", 4, 4}, {"f", 1, 1}, {"m", 2, 5}}},
      {"Promising", {{"r", 4, 4}, {"f", 1, 1}, {"m", 1, 1}}},
      {"Potential Loyalist", {{"r", 4, 5}, {"f", 2, 5}, {"fm", 1, 3}}},
      {"Champions", {{"r", 5, 5}, {"f", 2, 5}, {"fm", 4, 5}}},
      {"Loyal", {{"r", 4, 4}, {"f", 2, 5}, {"fm", 4, 5}}},
      {"Loyal", {{"r", 3, 3}, {"fm", 4, 5}}},
      {"Need Attention", {{"r", 3, 3}, {"fm", 3, 3}}},
      {"About to Sleep", {{"r", 3, 3}, {"fm", 1, 2}}},
      {"Can't Lose", {{"r", 1, 2}, {"fm", 5, 5}}},
      {"At Risk", {{"r", 1, 2}, {"fm", 3, 4}}},
      {"Hibernating", {{"r", 1, 2}, {"fm", 1, 2}}},
  };
  // Ranks leave room for segments of one's own between them.
  spec.segments = {
      {"Champions",
       110,
       "Bought very recently, buy often and spend the most.",
       {up("reward them: early access, loyalty perks, ask for reviews and referrals; no discounts "
           "needed")},
       false},
      {"Loyal",
       100,
       "Buy regularly and recently, with good spend.",
       {up("upsell higher-value products and offer a loyalty programme")},
       false},
      {"Potential Loyalist",
       90,
       "Recent customers with more than one purchase.",
       {up("recommend related products and invite them to the loyalty programme")},
       false},
      {"New",
       80,
       "Bought recently for the first time.",
       {up("welcome series: help with the first purchase and lead to the second")},
       false},
      {"Promising", 70, "Bought once not long ago, with little spend.", {}, false},
      {"Need Attention",
       60,
       "Average in every respect; have not bought for a while.",
       {down("limited-time offer based on past purchases")},
       false},
      {"About to Sleep",
       50,
       "Below average; will be lost if nothing happens.",
       {down("reconnect with popular products and a modest discount")},
       false},
      {"Can't Lose",
       40,
       "Used to buy most and most often, silent for long.",
       {down("win back in person: call, renewal offer, ask what went wrong")},
       true},
      {"At Risk",
       30,
       "Spent well and bought often, silent for long.",
       {while_in("churn", "Low",
                 down("no incentive, likely to buy again: remind them of what they liked")),
        down("win back with a personal offer and a reminder of what they liked")},
       true},
      {"Hibernating",
       20,
       "Last purchase long ago, few orders, little spend.",
       {down("include in low-cost campaigns only; standard reactivation offer")},
       true},
  };
  return spec;
}

SegmentationSpec cluster_preset() {
  SegmentationSpec spec;
  spec.name = "cluster";
  spec.scorer = Scorer::kCluster;
  spec.hysteresis = .2;
  spec.recency_min_ms = 21 * kPresetDayMs;
  spec.stay_ms = 8 * kPresetDayMs;
  spec.segments = {
      {"Champions",
       50,
       "Recent, many purchases and the highest spend.",
       {up("reward them: early access, loyalty perks, ask for reviews and referrals")},
       false},
      {"Loyal",
       40,
       "Recent, many purchases and high spend.",
       {up("upsell and keep engaged with a loyalty programme")},
       false},
      {"Occasional",
       30,
       "Recent, few purchases or little spend.",
       {down("grow them: recommendations and an incentive for the next order")},
       false},
      {"Dormant high-value",
       20,
       "Silent for longer, of high spend.",
       {down("win back with a personal offer worth their past spend")},
       false},
      {"Hibernating",
       10,
       "Silent for longer, of little spend.",
       {down("low-cost reactivation only")},
       false},
  };
  return spec;
}

SegmentationSpec churn_preset() {
  SegmentationSpec spec;
  spec.name = "churn";
  spec.stay_ms = 8 * kPresetDayMs;
  Axis risk;
  risk.name = "risk";
  risk.cuts.quantity = Quantity::kRisk;
  risk.cuts.method = CutMethod::kFixed;
  risk.cuts.bins = 3;
  risk.cuts.fixed = {percent_of_risk(33), percent_of_risk(66)};
  risk.margin = .06;
  spec.axes = {risk};
  spec.map = {{"Low", {{"risk", 3, 3}}}, {"Medium", {{"risk", 2, 2}}}, {"High", {{"risk", 1, 1}}}};
  spec.segments = {
      {"Low", 30, "Likely to buy again within the horizon.", {}, false},
      {"Medium",
       20,
       "May or may not buy again within the horizon.",
       {down("nudge: reminder, recommendation or free shipping")},
       false},
      {"High",
       10,
       "Unlikely to buy again within the horizon.",
       {down("retention offer if past spend justifies it, else let go")},
       false},
  };
  return spec;
}

const std::vector<Preset>& presets() {
  static const std::vector<Preset> kPresets = [] {
    std::vector<Preset> all = {
        Preset{rfm_preset(),
               "The default: quintiles, R within bounds in days, over R and FM = (F + M) / 2 "
               "rounded up; "
               "one purchase leads to New."},
        Preset{cluster_preset(),
               "The default: online K-Means of log-scaled R, F and M, whose clusters get the five "
               "names "
               "of "
               "notebook 004 by conditions on their centroids; the notebook states none."},
        Preset{churn_preset(),
               "The default: three bands of the risk of no purchase within 90 days."}};
    for (Preset& preset : published_presets()) all.push_back(std::move(preset));
    return all;
  }();
  return kPresets;
}

const Preset* find(std::string_view name) {
  const auto found = std::ranges::find_if(
      presets(), [&](const Preset& preset) { return preset.spec.name == name; });
  return found == presets().end() ? nullptr : &*found;
}

}  // namespace

const SegmentationSpec* find_preset(std::string_view name) {
  const Preset* const preset = find(name);
  return preset == nullptr ? nullptr : &preset->spec;
}

std::string_view preset_note(std::string_view name) {
  const Preset* const preset = find(name);
  return preset == nullptr ? std::string_view() : std::string_view(preset->note);
}

std::span<const std::string_view> preset_names() {
  static const std::vector<std::string_view> kNames = [] {
    std::vector<std::string_view> names;
    for (const Preset& preset : presets()) names.push_back(preset.spec.name);
    return names;
  }();
  return kNames;
}

}  // namespace rfm
