// Goal: what differs between rules is said by key; what cannot change while state is kept is
// refused by key, with the reason.
#include "config/rules_change.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/checked_settings.h"

namespace rfm {
namespace {

SemanticSettings with(const std::vector<std::string>& overrides) {
  const absl::StatusOr<Settings> settings = load_settings({}, {}, overrides);
  EXPECT_TRUE(settings.ok()) << settings.status();
  return settings.ok() ? settings->semantic() : SemanticSettings{};
}

TEST(RulesChange, DifferencesAreSaidByKey) {
  EXPECT_TRUE(rules_differences(with({}), with({})).empty());
  const auto differences = rules_differences(
      with({}), with({"action.quiet=3d", "segmentation.rfm.stay=2d",
                      "segmentation.churn.enabled=false", "segmentation.tiers.preset=putler"}));
  std::vector<std::string> keys;
  for (const SettingDifference& difference : differences) keys.push_back(difference.key);
  // What depends on a segmentation that is not there any more is left out.
  EXPECT_EQ(keys, (std::vector<std::string>{"action.quiet", "segmentation.churn",
                                            "segmentation.rfm.segments.At Risk.actions",
                                            "segmentation.rfm.stay", "segmentation.tiers"}));
  EXPECT_EQ(differences[0].before, "7d");
  EXPECT_EQ(differences[0].now, "3d");
  EXPECT_EQ(differences[1].now, "not there");
  EXPECT_EQ(differences[4].before, "not there");
}

TEST(RulesChange, SegmentationsActionsAndTrainingCanChange) {
  for (const std::vector<std::string>& overrides :
       std::vector<std::vector<std::string>>{{"segmentation.rfm.stay=2d"},
                                             {"segmentation.rfm.preset=putler"},
                                             {"segmentation.rfm.enabled=false"},
                                             {"segmentation.tiers.preset=value-risk"},
                                             {"segmentation.cluster.hysteresis=.3"},
                                             {"action.quiet=1d", "action.precedence=churn"},
                                             {"output.holdout=.1"},
                                             {"model.population_on=900"},
                                             {"model.churn_weeks=12"}}) {
    SCOPED_TRACE(overrides.front());
    EXPECT_TRUE(check_rules_change(with({}), with(overrides)).ok());
    EXPECT_TRUE(check_rules_change(with(overrides), with({})).ok());
  }
}

TEST(RulesChange, WhatTheStateIsMadeOfCannot) {
  const auto expect_refused = [](const std::vector<std::string>& before,
                                 const std::vector<std::string>& after, const std::string& key,
                                 const std::string& why) {
    SCOPED_TRACE(key + ": " + why);
    const absl::Status status = check_rules_change(with(before), with(after));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find("\n  " + key + ": "), std::string::npos) << status;
    EXPECT_NE(status.message().find(why), std::string::npos) << status;
    EXPECT_NE(status.message().find("new application"), std::string::npos) << status;
  };
  expect_refused({"rfm.window=90d"}, {"rfm.window=120d"}, "rfm.window", "needs a backfill");
  expect_refused({"rfm.window=90d"}, {}, "rfm.window", "needs a backfill");
  expect_refused({}, {"rfm.window=90d"}, "rfm.window", "shorter window");
  expect_refused({"rfm.window=120d"}, {"rfm.window=90d"}, "rfm.window", "shorter window");
  expect_refused({}, {"rfm.monetary=gross"}, "rfm.monetary", "every sum");
  expect_refused({}, {"model.clusters=4"}, "model.clusters", "other ids");
  expect_refused({}, {"model.refit_weekday=sunday"}, "model.refit_weekday", "samples");
  expect_refused({}, {"input.lateness=5m"}, "input.lateness", "were read by it");
  expect_refused({}, {"input.currency=EUR"}, "input.currency", "were read by it");
  expect_refused({}, {"ledger.entries_max=2000"}, "ledger.entries_max", "stays folded");
  expect_refused({}, {"dedup.horizon=500d"}, "dedup.horizon", "stays so");
}

}  // namespace
}  // namespace rfm
