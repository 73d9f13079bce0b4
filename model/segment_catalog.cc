#include "model/segment_catalog.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace rfm {

namespace {

// Ranks leave room for segments of one's own between them.
const std::vector<SegmentInfo>& rfm_table() {
  static const std::vector<SegmentInfo> kTable = {
      {"Champions", 110, "Bought very recently, buy often and spend the most.",
       "reward them: early access, loyalty perks, ask for reviews and referrals; no discounts "
       "needed"},
      {"Loyal", 100, "Buy regularly and recently, with good spend.",
       "upsell higher-value products and offer a loyalty programme"},
      {"Potential Loyalist", 90, "Recent customers with more than one purchase or solid spend.",
       "recommend related products and invite them to the loyalty programme"},
      {"New", 80, "Bought very recently for the first time, or little so far.",
       "welcome series: help with the first purchase and lead to the second"},
      {"Promising", 70, "Recent buyers with little spend so far.",
       "build awareness: bestsellers and a small incentive for the next order"},
      {"Need Attention", 60, "Average in every respect; have not bought for a while.",
       "limited-time offer based on past purchases"},
      {"About to Sleep", 50, "Below average; will be lost if nothing happens.",
       "reconnect with popular products and a modest discount"},
      {"Can't Lose", 40, "Used to buy most and most often, silent for long.",
       "win back in person: call, renewal offer, ask what went wrong"},
      {"At Risk", 30, "Spent well and bought often, silent for long.",
       "win back with a personal offer and a reminder of what they liked"},
      {"Hibernating", 20, "Last purchase long ago, few orders, little spend.",
       "include in low-cost campaigns only; standard reactivation offer"},
  };
  return kTable;
}

constexpr std::array<std::string_view, 2> kRecencyPhrases = {"Bought recently",
                                                             "Silent for longer"};
constexpr std::array<std::string_view, 3> kPurchasesPhrases = {
    "mostly one purchase", "more than one purchase", "many purchases"};
constexpr std::array<std::string_view, 3> kSpendPhrases = {
    "spend below the average customer's", "spend above the average customer's",
    "spend far above the average customer's"};
constexpr std::array<int, 3> kSpendRanks = {15, 35, 45};

SegmentInfo plain_cluster(ClusterNameCode code, const PlainName& plain) {
  const auto spend = static_cast<std::size_t>(plain.spend);
  std::string description(kRecencyPhrases[static_cast<std::size_t>(plain.recency)]);
  description += ", ";
  description += kPurchasesPhrases[static_cast<std::size_t>(plain.purchases)];
  description += ", ";
  description += kSpendPhrases[spend];
  description += '.';
  return {std::string(cluster_name(code)), kSpendRanks[spend], description, ""};
}

// By code.
std::vector<SegmentInfo> cluster_table() {
  std::vector<SegmentInfo> table(kClusterNameCodesEnd);
  table[kChampions] = {"Champions", 50,
                       "Bought recently, buy often and spend far more than the average customer.",
                       "reward them: early access, loyalty perks, ask for reviews and referrals"};
  table[kLoyal] = {"Loyal", 40, "Bought recently, buy often and spend more than average.",
                   "upsell and keep engaged with a loyalty programme"};
  table[kOccasional] = {"Occasional", 30, "Bought recently, but not often or for little.",
                        "grow them: recommendations and an incentive for the next order"};
  table[kDormantHighValue] = {"Dormant high-value", 20,
                              "Silent for longer, spent more than average.",
                              "win back with a personal offer worth their past spend"};
  table[kHibernating] = {"Hibernating", 10, "Silent for longer, spent less than average.",
                         "low-cost reactivation only"};
  for (ClusterNameCode code = kNamedClusterCount; code < kClusterNameCodesEnd; ++code) {
    if (const std::optional<PlainName> plain = plain_name(code))
      table[code] = plain_cluster(code, *plain);
  }
  return table;
}

}  // namespace

const SegmentInfo* find_rfm_segment(std::string_view name) {
  const std::vector<SegmentInfo>& table = rfm_table();
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const SegmentInfo& info) { return info.name == name; });
  return found == table.end() ? nullptr : &*found;
}

const SegmentInfo& churn_segment(ChurnBand band) {
  static const std::array<SegmentInfo, kChurnBandCount> kTable = {{
      {"Low", 30, "Likely to buy again within the horizon.",
       "no incentive needed: keep the usual contact frequency"},
      {"Medium", 20, "May or may not buy again within the horizon.",
       "nudge: reminder, recommendation or free shipping"},
      {"High", 10, "Unlikely to buy again within the horizon.",
       "retention offer if past spend justifies it, else let go"},
  }};
  return kTable[static_cast<std::size_t>(band)];
}

const SegmentInfo& cluster_segment(std::string_view name) {
  return cluster_segment(find_cluster_name(name).value_or(kClusterNameCodesEnd));
}

const SegmentInfo& cluster_segment(ClusterNameCode code) {
  static const std::vector<SegmentInfo> kTable = cluster_table();
  static const SegmentInfo kOther{"", 0, "", ""};
  return code < kClusterNameCodesEnd ? kTable[code] : kOther;
}

const SegmentInfo& no_segment() {
  static const SegmentInfo kInfo{std::string(kNoSegment), 0, "No purchase counts.", ""};
  return kInfo;
}

const SegmentInfo& unassigned_segment() {
  static const SegmentInfo kInfo{std::string(kUnassignedSegment), 0, "No model exists yet.", ""};
  return kInfo;
}

}  // namespace rfm
