// Goal: a name is given only to a cluster that meets its stated condition, and leaves it only when
// the condition is missed by more than the tolerance.
#include "model/cluster_names.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/model/uniform.h"

namespace rfm {
namespace {

using Names = std::vector<std::string>;

FeatureVector centroid(double recency_days, double frequency, double money) {
  return {std::log1p(recency_days), std::log1p(frequency), std::log1p(money)};
}

// A population of R 40 days, F 2, M 100.
const FeatureVector kPopulation = centroid(40, 2, 100);

ClusterNameConditions conditions(const std::vector<FeatureVector>& centroids) {
  return {centroids, kPopulation};
}

bool meets(ClusterNameCode name, const FeatureVector& cluster) {
  return conditions({cluster}).meets(name, 0);
}

double missed_by(ClusterNameCode name, const FeatureVector& cluster) {
  return conditions({cluster}).missed_by(name, 0);
}

Names texts(const std::vector<ClusterNameCode>& codes) {
  Names names;
  for (const ClusterNameCode code : codes) names.emplace_back(cluster_name(code));
  return names;
}

std::vector<ClusterNameCode> codes(const Names& names) {
  std::vector<ClusterNameCode> codes;
  for (const auto& name : names)
    codes.push_back(find_cluster_name(name).value_or(kClusterNameCodesEnd));
  return codes;
}
Names named(const std::vector<FeatureVector>& centroids, const Names& current) {
  return texts(name_clusters(conditions(centroids), codes(current)));
}

TEST(ClusterNames, EachConditionHoldsUpToItsLimit) {
  EXPECT_TRUE(meets(kChampions, centroid(39.9, 2.01, 250.1)));
  EXPECT_FALSE(meets(kChampions, centroid(40.1, 2.01, 250.1)));
  EXPECT_FALSE(meets(kChampions, centroid(39.9, 1.99, 250.1)));
  EXPECT_FALSE(meets(kChampions, centroid(39.9, 2.01, 249.9)));
  EXPECT_TRUE(meets(kLoyal, centroid(39.9, 2.01, 100.1)));
  EXPECT_FALSE(meets(kLoyal, centroid(40.1, 2.01, 100.1)));
  EXPECT_FALSE(meets(kLoyal, centroid(39.9, 1.99, 100.1)));
  EXPECT_FALSE(meets(kLoyal, centroid(39.9, 2.01, 99.9)));
  EXPECT_TRUE(meets(kOccasional, centroid(39.9, 1.99, 1000)));
  EXPECT_TRUE(meets(kOccasional, centroid(39.9, 20, 99.9)));
  EXPECT_FALSE(meets(kOccasional, centroid(39.9, 2.01, 100.1)));
  EXPECT_FALSE(meets(kOccasional, centroid(40.1, 1, 1)));
  EXPECT_TRUE(meets(kDormantHighValue, centroid(40.1, 1, 100.1)));
  EXPECT_FALSE(meets(kDormantHighValue, centroid(39.9, 1, 100.1)));
  EXPECT_FALSE(meets(kDormantHighValue, centroid(40.1, 1, 99.9)));
  EXPECT_TRUE(meets(kHibernating, centroid(40.1, 9, 99.9)));
  EXPECT_FALSE(meets(kHibernating, centroid(39.9, 1, 99.9)));
  EXPECT_FALSE(meets(kHibernating, centroid(40.1, 1, 100.1)));
}

TEST(ClusterNames, RecentIsNeverMoreThanNinetyDaysAndOftenMoreThanOnePurchase) {
  const std::vector<FeatureVector> clusters = {centroid(89, 1.6, 200), centroid(91, 1.6, 200),
                                               centroid(89, 1.4, 200)};
  const ClusterNameConditions conditions(clusters, centroid(300, 1.1, 100));
  EXPECT_TRUE(conditions.meets(kLoyal, 0));
  EXPECT_TRUE(conditions.meets(kDormantHighValue, 1));
  EXPECT_TRUE(conditions.meets(kOccasional, 2));
}

TEST(ClusterNames, MissedByIsTheWorstFigure) {
  EXPECT_EQ(missed_by(kChampions, centroid(30, 3, 300)), 1);
  EXPECT_NEAR(missed_by(kChampions, centroid(60, 1.8, 300)), 1.5, 1e-9);
  EXPECT_NEAR(missed_by(kChampions, centroid(44, 1, 240)), 2, 1e-9);
  EXPECT_NEAR(missed_by(kLoyal, centroid(30, 3, 80)), 1.25, 1e-9);
  EXPECT_NEAR(missed_by(kOccasional, centroid(30, 2.4, 300)), 1.2, 1e-9);
  EXPECT_NEAR(missed_by(kOccasional, centroid(80, 2.4, 300)), 2, 1e-9);
  EXPECT_NEAR(missed_by(kDormantHighValue, centroid(20, 1, 90)), 2, 1e-9);
  EXPECT_NEAR(missed_by(kHibernating, centroid(50, 1, 300)), 3, 1e-9);
  EXPECT_EQ(missed_by(kLoyal, centroid(30, 3, 0)), std::numeric_limits<double>::infinity());
}

TEST(ClusterNames, ChampionsAreTheRichestOfThoseWhoAreRecentAndBuyOften) {
  const ClusterNameConditions two =
      conditions({centroid(10, 5, 300), centroid(10, 5, 450), centroid(90, 5, 900)});
  EXPECT_FALSE(two.meets(kChampions, 0));
  EXPECT_NEAR(two.missed_by(kChampions, 0), 1.5, 1e-9);
  EXPECT_TRUE(two.meets(kChampions, 1));
}

TEST(ClusterNames, FiveClustersOfAShopGetTheFiveNames) {
  EXPECT_EQ(named({centroid(185, 2, 493), centroid(16, 12, 1445), centroid(185, 1.2, 19),
                   centroid(29, 4.6, 240), centroid(24, 1.6, 70)},
                  {}),
            (Names{"Dormant high-value", "Champions", "Hibernating", "Loyal", "Occasional"}));
}

TEST(ClusterNames, PopulationIsTheMeanOfTheCentroidsByTheirMembers) {
  const FeatureVector mean =
      population_mean(std::vector<FeatureVector>{{1, 2, 3}, {5, 2, 7}, {9, 9, 9}},
                      std::vector<std::int64_t>{3, 1, 0});
  EXPECT_EQ(mean, (FeatureVector{2, 2, 4}));
}

TEST(ClusterNames, TheRichestGetsTheNameAndTheOthersADescription) {
  EXPECT_EQ(named({centroid(90, 1, 10), centroid(80, 1, 20), centroid(70, 3, 15)}, {}),
            (Names{"Silent, one purchase, low spend", "Hibernating",
                   "Silent, repeat purchases, low spend"}));
  // Of equals the least id; who meets Champions but is not the richest is Loyal.
  EXPECT_EQ(named({centroid(9, 9, 300), centroid(9, 9, 300), centroid(9, 9, 300)}, {}),
            (Names{"Champions", "Loyal", "Recent, many purchases, top spend"}));
}

TEST(ClusterNames, DescriptionsAreMadeUniqueByTheClustersNumber) {
  const std::vector<FeatureVector> same(4, centroid(90, 1, 10));
  EXPECT_EQ(named(same, {}),
            (Names{"Hibernating", "Silent, one purchase, low spend",
                   "Silent, one purchase, low spend (3)", "Silent, one purchase, low spend (4)"}));
}

TEST(ClusterNames, ANameStaysWhileItIsMissedByNoMoreThanAQuarter) {
  const Names before = {"Champions", "Hibernating"};
  EXPECT_EQ(named({centroid(49, 3, 300), centroid(33, 1, 20)}, before), before);
  EXPECT_EQ(named({centroid(30, 3, 201), centroid(90, 1, 124)}, before), before);
  EXPECT_EQ(named({centroid(51, 3, 300), centroid(33, 1, 20)}, before),
            (Names{"Dormant high-value", "Hibernating"}));
  EXPECT_EQ(named({centroid(30, 3, 199), centroid(90, 1, 126)}, before)[1], "Dormant high-value");
  EXPECT_EQ(named({centroid(30, 3, 300), centroid(31, 1, 20)}, before),
            (Names{"Champions", "Occasional"}));
}

TEST(ClusterNames, AFreeNameGoesToWhoHasAPlainOne) {
  // The bearer of Hibernating has come to life, the other one is still what it is called.
  const Names before = {"Hibernating", "Silent, one purchase, low spend"};
  EXPECT_EQ(named({centroid(10, 1, 20), centroid(90, 1, 10)}, before),
            (Names{"Occasional", "Hibernating"}));
  // A plain name stays true for its cluster when there is nothing better.
  EXPECT_EQ(named({centroid(90, 1, 20), centroid(90, 1, 90)}, before), before);
}

TEST(ClusterNames, LoyalThatOutgrowsTheChampionsTakesTheirName) {
  const Names before = {"Champions", "Loyal", "Hibernating"};
  EXPECT_EQ(named({centroid(10, 5, 300), centroid(10, 5, 450), centroid(80, 1, 10)}, before),
            (Names{"Loyal", "Champions", "Hibernating"}));
  EXPECT_EQ(named({centroid(10, 5, 300), centroid(10, 5, 370), centroid(80, 1, 10)}, before),
            before);
}

TEST(ClusterNames, WhatIsNoNameIsGivenUp) {
  EXPECT_EQ(named({centroid(90, 1, 10)}, {"Cluster 3"}), Names{"Hibernating"});
  // Nor can two have one name.
  EXPECT_EQ(named({centroid(90, 1, 10), centroid(90, 1, 20)}, {"Hibernating", "Hibernating"}),
            (Names{"Hibernating", "Silent, one purchase, low spend"}));
}

TEST(ClusterNames, CodesAndTextsAreEachOthers) {
  EXPECT_EQ(cluster_name(kChampions), "Champions");
  EXPECT_EQ(cluster_name(kHibernating), "Hibernating");
  // Codes are stored: these are for ever.
  EXPECT_EQ(find_cluster_name("Dormant high-value"), 3);
  EXPECT_EQ(find_cluster_name("Recent, one purchase, low spend"), 16);
  EXPECT_EQ(find_cluster_name("Recent, one purchase, high spend"), 33);
  EXPECT_EQ(find_cluster_name("Silent, many purchases, top spend (16)"), 321);
  EXPECT_EQ(find_cluster_name("Cluster 1"), std::nullopt);
  EXPECT_EQ(find_cluster_name(""), std::nullopt);
  std::set<std::string_view> names;
  for (ClusterNameCode code = 0; code < kClusterNameCodesEnd; ++code) {
    const std::string_view text = cluster_name(code);
    if (text.empty()) {
      EXPECT_FALSE(plain_name(code));
      EXPECT_EQ(cluster_rank(code), 0);
      continue;
    }
    EXPECT_TRUE(names.insert(text).second) << text;
    EXPECT_EQ(find_cluster_name(text), code);
    const std::optional<PlainName> plain = plain_name(code);
    EXPECT_EQ(plain.has_value(), code >= kNamedClusterCount);
    if (plain) {
      const SegmentInfo info = plain_cluster_segment(code);
      EXPECT_EQ(info.name, text);
      EXPECT_FALSE(info.description.empty());
      EXPECT_TRUE(info.actions.empty());
      EXPECT_EQ(plain_name_code(*plain), code);
    }
  }
  EXPECT_EQ(names.size(), 5 + 18 * 17);
  EXPECT_EQ(cluster_name(kClusterNameCodesEnd), "");
}

// Any clusters, named before in any way: every name is nearly met, a new one quite, none twice, and
// asking again changes nothing.
TEST(ClusterNames, NoNameMissesItsConditionAfterNaming) {
  std::mt19937_64 rng(5);
  int kept = 0;
  for (int round = 0; round < 3000; ++round) {
    SCOPED_TRACE(round);
    const auto count = 2 + rng() % 15;
    std::vector<FeatureVector> centroids;
    std::vector<std::int64_t> members;
    Names before;
    for (std::size_t id = 0; id < count; ++id) {
      centroids.push_back({uniform(rng, 0, 6), uniform(rng, .69, 3), uniform(rng, 0, 9)});
      members.push_back(static_cast<std::int64_t>(rng() % 1000));
      const auto code = static_cast<ClusterNameCode>(rng() % 2 == 0 ? rng() % kNamedClusterCount
                                                                    : rng() % kClusterNameCodesEnd);
      const std::string name(cluster_name(code));
      before.push_back(std::ranges::count(before, name) > 0 ? "" : name);
    }
    members.front() += 1;
    if (round % 3 == 0) before.clear();
    const ClusterNameConditions conditions(centroids, population_mean(centroids, members));
    const std::vector<ClusterNameCode> names = name_clusters(conditions, codes(before));
    EXPECT_EQ(std::set<ClusterNameCode>(names.begin(), names.end()).size(), count);
    for (std::size_t id = 0; id < count; ++id) {
      EXPECT_LE(conditions.missed_by(names[id], id), kClusterNameTolerance);
      const bool stayed = !before.empty() && before[id] == cluster_name(names[id]);
      kept += stayed ? 1 : 0;
      EXPECT_TRUE(stayed || conditions.meets(names[id], id)) << cluster_name(names[id]);
    }
    EXPECT_EQ(name_clusters(conditions, names), names);
  }
  EXPECT_GT(kept, 1000);
}

}  // namespace
}  // namespace rfm
