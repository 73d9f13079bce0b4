#include "model/segment_catalog.h"

#include <algorithm>
#include <array>
#include <vector>

#include "model/model_version.h"

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

// The five names, then the numbered ones.
std::vector<SegmentInfo> cluster_table() {
  std::vector<SegmentInfo> table = {
      {"Champions", 50, "The most purchases, usually recent and of high spend.",
       "reward them: early access, loyalty perks, ask for reviews and referrals"},
      {"Loyal", 40, "Many purchases, fewer than the Champions.",
       "upsell and keep engaged with a loyalty programme"},
      {"Occasional", 30, "Few purchases, recent.",
       "grow them: recommendations and an incentive for the next order"},
      {"Dormant high-value", 20, "Few purchases, silent for longer, usually of some value.",
       "win back with a personal offer worth their past spend"},
      {"Hibernating", 10, "Few purchases and the least money.", "low-cost reactivation only"},
  };
  for (int number = 1; number <= kClustersMax; ++number) {
    table.push_back({"Cluster " + std::to_string(number), 100 - number,
                     "Cluster of customers with similar recency, frequency and spend.",
                     "review the cluster's profile before addressing it"});
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
  static const std::vector<SegmentInfo> kTable = cluster_table();
  const auto found =
      std::ranges::find_if(kTable, [&](const SegmentInfo& info) { return info.name == name; });
  static const SegmentInfo kOther{"", 0, "", ""};
  return found == kTable.end() ? kOther : *found;
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
