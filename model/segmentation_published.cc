#include "model/segmentation_published.h"

#include <utility>

#include "model/segmentation_map.h"
#include "model/segmentation_parts.h"

namespace rfm {

namespace {

SegmentationSpec damped(std::string name, std::vector<Axis> axes, std::vector<MapRule> map) {
  SegmentationSpec spec;
  spec.name = std::move(name);
  spec.stay_ms = 8 * kPresetDayMs;
  spec.axes = std::move(axes);
  spec.map = std::move(map);
  return spec;
}

enum class Fall : std::uint8_t { kDamped, kAtOnce };

SegmentInfo segment(std::string name, int rank, std::string description,
                    std::vector<SegmentAction> actions = {}, Fall fall = Fall::kDamped) {
  return {std::move(name), rank, std::move(description), std::move(actions), fall == Fall::kAtOnce};
}

// What several sources call by the same name, with the rank that this one gives it.
SegmentInfo champions(int rank, std::string name = "Champions") {
  return segment(std::move(name), rank, "Bought very recently, buy often and spend the most.",
                 {up("reward them: early access, loyalty perks, ask for reviews and referrals; no "
                     "discounts needed")});
}
SegmentInfo loyal(int rank) {
  return segment("Loyal", rank, "Buy regularly and recently, with good spend.",
                 {up("upsell higher-value products and offer a loyalty programme")});
}
SegmentInfo potential_loyalist(int rank) {
  return segment("Potential Loyalist", rank, "Recent customers with some purchases or spend.",
                 {up("recommend related products and invite them to the loyalty programme")});
}
SegmentInfo new_customer(int rank, std::string name = "New") {
  return segment(std::move(name), rank, "Bought recently, with few purchases so far.",
                 {up("welcome series: help with the first purchase and lead to the second")});
}
SegmentInfo promising(int rank) {
  return segment("Promising", rank, "Fairly recent buyers with few purchases so far.");
}
SegmentInfo need_attention(int rank, std::string name) {
  return segment(std::move(name), rank, "Average in every respect; have not bought for a while.",
                 {down("limited-time offer based on past purchases")});
}
SegmentInfo about_to_sleep(int rank, std::string name) {
  return segment(std::move(name), rank, "Below average; will be lost if nothing happens.",
                 {down("reconnect with popular products and a modest discount")});
}
SegmentInfo cannot_lose(int rank, std::string name = "Can't Lose") {
  return segment(std::move(name), rank, "Used to buy much and often, silent for long.",
                 {down("win back in person: call, renewal offer, ask what went wrong")},
                 Fall::kAtOnce);
}
SegmentInfo at_risk(int rank) {
  return segment("At Risk", rank, "Spent well and bought often, silent for long.",
                 {down("win back with a personal offer and a reminder of what they liked")},
                 Fall::kAtOnce);
}
SegmentInfo hibernating(int rank, std::string name = "Hibernating") {
  return segment(std::move(name), rank, "Last purchase long ago, few orders, little spend.",
                 {down("include in low-cost campaigns only; standard reactivation offer")},
                 Fall::kAtOnce);
}

Preset grid_preset() {
  std::vector<Axis> axes = quintile_axes();
  axes.pop_back();
  SegmentationSpec spec = damped(
      "grid", std::move(axes),
      rules_of_grid("r", 5, "f", 1,
                    {{"New", "Potential Loyalist", "Potential Loyalist", "Champions", "Champions"},
                     {"Promising", "Potential Loyalist", "Potential Loyalist", "Loyal", "Loyal"},
                     {"About to Sleep", "About to Sleep", "Need Attention", "Loyal", "Loyal"},
                     {"Hibernating", "Hibernating", "At Risk", "At Risk", "Can't Lose"},
                     {"Hibernating", "Hibernating", "At Risk", "At Risk", "Can't Lose"}}));
  spec.segments = {champions(110),
                   loyal(100),
                   potential_loyalist(90),
                   new_customer(80),
                   promising(70),
                   need_attention(60, "Need Attention"),
                   about_to_sleep(50, "About to Sleep"),
                   cannot_lose(40),
                   at_risk(30),
                   hibernating(20)};
  return {std::move(spec),
          "The 5x5 map over R and F of many notebooks (seg_map), which is total as published; M "
          "does not count. \"Champion\" is Champions here; R is within bounds in days."};
}

Preset quintiles_preset() {
  SegmentationSpec spec = damped(
      "quintiles", quintile_axes(),
      rules_of_grid(
          "r", 5, "fm", 1,
          {{"New", "New", "Potential Loyalist", "Champions", "Champions"},
           {"New", "New", "Potential Loyalist", "Loyal", "Champions"},
           {"Potential Loyalist", "Potential Loyalist", "Potential Loyalist", "Loyal", "Loyal"},
           {"At Risk", "At Risk", "At Risk", "Cannot Lose", "Cannot Lose"},
           {"At Risk", "At Risk", "At Risk", "Cannot Lose", "Cannot Lose"}}));
  spec.segments = {champions(60),
                   loyal(50),
                   potential_loyalist(40),
                   new_customer(30),
                   cannot_lose(20, "Cannot Lose"),
                   at_risk(10)};
  return {std::move(spec),
          "The six segments of notebook 002, which gives their shares and no boundaries: the cells "
          "over R and FM are ours. Its value tiers are the preset tiers."};
}

Preset tiers_preset() {
  Axis value = quantile_axis("value", Quantity::kValue,
                             {money_below(25), money_below(75), money_below(200)});
  SegmentationSpec spec = damped("tiers", {std::move(value)},
                                 {{"Platinum", {{"value", 4, 4}}},
                                  {"Gold", {{"value", 3, 3}}},
                                  {"Silver", {{"value", 2, 2}}},
                                  {"Bronze", {{"value", 1, 1}}}});
  spec.segments = {segment("Platinum", 40, "The top quarter by expected value of the next 90 days.",
                           {up("best service and first access; treat them by name")}),
                   segment("Gold", 30, "The second quarter by expected value of the next 90 days.",
                           {up("show what Platinum brings, upsell")}),
                   segment("Silver", 20, "The third quarter by expected value of the next 90 days.",
                           {down("bundles and recommendations to raise order value")}),
                   segment("Bronze", 10, "The last quarter by expected value of the next 90 days.",
                           {down("automated campaigns only")})};
  return {
      std::move(spec),
      "The value tiers of notebook 002, which gives no boundaries: quarters of the customers by "
      "expected value of the next 90 days."};
}

std::vector<Axis> breaks_axes() {
  // The notebook's groups of days and revenue as start cuts; its frequency counts lines.
  std::vector<Axis> axes = {
      recency_axis({}, {20, 71, 125}), quantile_axis("f", Quantity::kFrequency, {2, 5, 10}),
      quantile_axis("m", Quantity::kMonetary, {27'530'000, 122'390'000, 445'630'000})};
  for (Axis& axis : axes) axis.cuts.method = CutMethod::kBreaks;
  return axes;
}

Preset overall_value_preset() {
  SegmentationSpec spec = damped("overall-value", breaks_axes(),
                                 {{"Low Value", {{"overall", 0, 2}}},
                                  {"Mid Value", {{"overall", 3, 4}}},
                                  {"High Value", {{"overall", 5, 9}}}});
  spec.segments = {segment("High Value", 30, "Overall score of 5 or more of 9.",
                           {up("reward them: early access and personal service")}),
                   segment("Mid Value", 20, "Overall score of 3 or 4 of 9.",
                           {up("upsell and recommend"), down("remind them with a personal offer")}),
                   segment("Low Value", 10, "Overall score of 2 or less of 9.",
                           {down("low-cost reactivation only")})};
  return {
      std::move(spec),
      "Optimal 1-D K-Means, k = 4, of R, F and M with scores 0-3, whose sum is the OverallScore "
      "of notebook 001; its first reading. The notebook reads 5-8 as High, because it saw no 9: "
      "9 is High here. Its frequency counts lines, ours invoices."};
}

Preset overall_engagement_preset() {
  SegmentationSpec spec = damped("overall-engagement", breaks_axes(),
                                 {{"Low Engagement", {{"overall", 0, 3}}},
                                  {"Average", {{"overall", 4, 6}}},
                                  {"Loyal", {{"overall", 7, 9}}}});
  spec.segments = {segment("Loyal", 30, "Overall score of 7 or more of 9.",
                           {up("loyalty programme and early access")}),
                   segment("Average", 20, "Overall score of 4 to 6 of 9.",
                           {up("upsell and recommend"), down("remind them with a personal offer")}),
                   segment("Low Engagement", 10, "Overall score of 3 or less of 9.",
                           {down("low-cost reactivation only")})};
  return {
      std::move(spec),
      "The same scores as overall-value in the second reading of notebook 001, which reads 1-3, "
      "4-6 and 7-8: 0 is Low Engagement and 9 Loyal here."};
}

Preset putler_preset() {
  SegmentationSpec spec = damped(
      "putler", quintile_axes(),
      rules_of_grid(
          "r", 5, "fm", 1,
          {{"Recent", "Potential Loyalist", "Potential Loyalist", "Champions", "Champions"},
           {"Recent", "Potential Loyalist", "Potential Loyalist", "Champions", "Champions"},
           {"Promising", "Needing Attention", "Needing Attention", "Loyal", "Loyal"},
           {"About To Sleep", "Needing Attention", "Needing Attention", "At Risk", "At Risk"},
           {"Hibernating", "Hibernating", "At Risk", "Can't Lose", "Can't Lose"}}));
  spec.segments = {champions(110),
                   loyal(100),
                   potential_loyalist(90),
                   new_customer(80, "Recent"),
                   promising(70),
                   need_attention(60, "Needing Attention"),
                   about_to_sleep(50, "About To Sleep"),
                   cannot_lose(40),
                   at_risk(30),
                   hibernating(20)};
  return {
      std::move(spec),
      "The 11 segments of Putler over R and FM, with At Risk over FM 2-5. Its rows overlap: of "
      "those that cover a cell the one of the fewest cells holds, the first of equal ones. Lost "
      "(0-2) differs from Hibernating (1-2) only by the score 0, which there is not, and is "
      "left out."};
}

Preset rfm_r_preset() {
  std::vector<Axis> axes = quintile_axes();
  const auto rule = [](std::string name, ScoreRange r, ScoreRange f, ScoreRange m) {
    r.coordinate = "r";
    f.coordinate = "f";
    m.coordinate = "m";
    return MapRule{std::move(name), {r, f, m}};
  };
  const std::vector<MapRule> published = {
      rule("Champions", {"", 5, 5}, {"", 5, 5}, {"", 5, 5}),
      rule("Potential Loyalist", {"", 3, 5}, {"", 3, 5}, {"", 2, 5}),
      rule("Loyal", {"", 2, 4}, {"", 2, 4}, {"", 2, 4}),
      rule("Promising", {"", 3, 4}, {"", 1, 3}, {"", 3, 5}),
      rule("New", {"", 4, 5}, {"", 1, 3}, {"", 1, 5}),
      rule("Can't Lose", {"", 1, 2}, {"", 3, 4}, {"", 4, 5}),
      rule("At Risk", {"", 1, 2}, {"", 2, 5}, {"", 4, 5}),
      rule("Need Attention", {"", 1, 3}, {"", 3, 5}, {"", 3, 5}),
      rule("About To Sleep", {"", 2, 3}, {"", 1, 3}, {"", 1, 4}),
      rule("Lost", {"", 1, 1}, {"", 1, 5}, {"", 1, 5})};
  std::vector<MapRule> map = first_match_rules(axes, published, "Others");
  SegmentationSpec spec = damped("rfm-r", std::move(axes), std::move(map));
  spec.segments = {champions(110),
                   loyal(100),
                   potential_loyalist(90),
                   new_customer(80),
                   promising(70),
                   need_attention(60, "Need Attention"),
                   about_to_sleep(50, "About To Sleep"),
                   cannot_lose(40),
                   at_risk(30),
                   segment("Others", 20, "What no other row of the source covers."),
                   hibernating(10, "Lost")};
  return {std::move(spec),
          "The R package rfm 0.3.0 over R, F and M. As there, the first row that covers a cell "
          "holds, and the rest is Others (10 of 125 cells)."};
}

Preset pymc_preset() {
  std::vector<Axis> axes = {recency_axis({{30, 60}, {60, 120}, {120, 365}}, {30, 60, 120}),
                            quantile_axis("f", Quantity::kFrequency, {1, 2, 5}),
                            quantile_axis("m", Quantity::kMonetary,
                                          {money_below(150), money_below(500), money_below(1500)})};
  const std::vector<std::pair<std::string, std::vector<int>>> published = {
      {"Premium", {333, 334, 343, 344, 433, 434, 443, 444}},
      {"Repeat", {143, 232, 233, 234, 243, 244, 332}},
      {"Top Spender", {124, 133, 134, 144, 224, 313, 314, 323, 324, 413, 414, 423, 424}},
      {"At Risk", {122, 123, 132, 212, 214, 222, 223, 312, 322, 412, 422}},
      {"Inactive", {111, 112, 113, 114, 211, 311, 411}}};
  std::vector<MapRule> rules;
  for (const auto& [name, codes] : published) {
    for (const int code : codes) {
      rules.push_back({name,
                       {{"r", code / 100, code / 100},
                        {"f", code / 10 % 10, code / 10 % 10},
                        {"m", code % 10, code % 10}}});
    }
  }
  std::vector<MapRule> map = first_match_rules(axes, rules, "Other");
  SegmentationSpec spec = damped("pymc", std::move(axes), std::move(map));
  spec.segments = {champions(60, "Premium"),
                   segment("Repeat", 50, "Buy often, with good spend.",
                           {up("offer a loyalty programme and related products")}),
                   segment("Top Spender", 40, "Spend much in few or in older purchases.",
                           {up("personal service and higher-value products"),
                            down("win back with a personal offer")}),
                   segment("Other", 30, "What no code of the source covers."),
                   segment("At Risk", 20, "Below average in purchases and spend.",
                           {down("remind them of what they liked, with a modest offer")}),
                   segment("Inactive", 10, "The fewest purchases.",
                           {down("low-cost reactivation only")}, Fall::kAtOnce)};
  return {std::move(spec),
          "The codes of pymc-marketing (rfm_segments) over quartiles of R, F and M; as there, the "
          "rest is Other (18 of 64 cells). Ties follow our rule: equal values, equal scores."};
}

Preset shopify_preset() {
  SegmentationSpec spec = damped(
      "shopify", quintile_axes(),
      rules_of_grid("r", 5, "fm", 1,
                    {{"New", "Active", "Active", "Champions", "Champions"},
                     {"Promising", "Active", "Active", "Loyal", "Loyal"},
                     {"Promising", "Needs Attention", "Needs Attention", "Loyal", "Loyal"},
                     {"Almost Lost", "Almost Lost", "Almost Lost", "At Risk", "Previously Loyal"},
                     {"Dormant", "Dormant", "Dormant", "At Risk", "Previously Loyal"}}));
  spec.segments = {
      champions(100),
      loyal(90),
      segment("Active", 80, "Bought recently, with some orders and moderate spend.",
              {up("recommend related products and invite them to the loyalty programme")}),
      new_customer(70),
      promising(60),
      need_attention(50, "Needs Attention"),
      cannot_lose(40, "Previously Loyal"),
      at_risk(30),
      segment("Almost Lost", 20, "Have not bought recently, with fewer orders and lower spend.",
              {down("reconnect with popular products and a modest discount")}, Fall::kAtOnce),
      hibernating(10, "Dormant")};
  return {
      std::move(spec),
      "The groups of Shopify over R and FM. It publishes words and no cells: very recent is R 5, "
      "recent R 3-4, not recent R 1-2; Active and Needs Attention, whose words are the same, "
      "differ by R. Prospects (no orders) is `none` here."};
}

Preset value_risk_preset() {
  Axis tier = quantile_axis("m", Quantity::kMonetary, {money_below(300), money_below(1000)});
  Axis risk;
  risk.name = "risk";
  risk.cuts.quantity = Quantity::kRisk;
  risk.cuts.method = CutMethod::kFixed;
  risk.cuts.bins = 3;
  risk.cuts.fixed = {percent_of_risk(33), percent_of_risk(66)};
  risk.margin = .03;
  std::vector<MapRule> map =
      rules_of_grid("m", 3, "risk", 1,
                    {{"High value, high risk", "High value, medium risk", "High value, low risk"},
                     {"Mid value, high risk", "Mid value, medium risk", "Mid value, low risk"},
                     {"Low value, high risk", "Low value, medium risk", "Low value, low risk"}});
  SegmentationSpec spec = damped("value-risk", {std::move(tier), std::move(risk)}, std::move(map));
  spec.segments = {
      segment("High value, low risk", 90, "The top third by spend, likely to buy again.",
              {up("reward them without incentives; little revenue is at risk")}),
      segment(
          "High value, medium risk", 80, "The top third by spend, may or may not buy again.",
          {down("personal reminder; spend on it no more than the revenue at risk, expected value "
                "of the next 90 days times the risk")}),
      segment("High value, high risk", 70, "The top third by spend, unlikely to buy again.",
              {down("win back in person; weigh it against the revenue at risk and past spend")},
              Fall::kAtOnce),
      segment("Mid value, low risk", 60, "The middle third by spend, likely to buy again.",
              {up("upsell without incentives")}),
      segment("Mid value, medium risk", 50, "The middle third by spend, may or may not buy again.",
              {down("reminder or recommendation; a small incentive within the revenue at risk")}),
      segment("Mid value, high risk", 40, "The middle third by spend, unlikely to buy again.",
              {down("one retention offer within the revenue at risk")}, Fall::kAtOnce),
      segment("Low value, low risk", 30, "The last third by spend, likely to buy again."),
      segment("Low value, medium risk", 20, "The last third by spend, may or may not buy again."),
      segment("Low value, high risk", 10, "The last third by spend, unlikely to buy again.",
              {down("low-cost campaigns only: hardly any revenue is at risk")}, Fall::kAtOnce)};
  return {
      std::move(spec),
      "Ours: thirds by spend times bands of churn risk, so that customers fall by risk, weeks "
      "before the same silence shows in R. Revenue at risk is the expected value of the next 90 "
      "days times the risk."};
}

}  // namespace

std::vector<Preset> published_presets() {
  return {grid_preset(),
          quintiles_preset(),
          tiers_preset(),
          overall_value_preset(),
          overall_engagement_preset(),
          putler_preset(),
          rfm_r_preset(),
          pymc_preset(),
          shopify_preset(),
          value_risk_preset()};
}

}  // namespace rfm
