// Goal: a customer and a grid are shown as their rules and models have them, as far as these go.
#include "stream/analyse/customer_view.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "state/epoch.h"
#include "stream/analyse/census.h"
#include "tests/stream/analyse/census_cases.h"

namespace rfm {
namespace {

TEST(CustomerView, WhereTheModelLogDoesNotReachThereIsNoModel) {
  const CensusCases cases(1, 1);
  ModelTimeline models;
  const TimeContext logs{cases.rules(), models};
  const CustomerRow& row = cases.all().front().row;
  models.start_at(kFirstEpoch);
  ASSERT_FALSE(models.knows(epoch_of(kCensusAt)));
  EXPECT_EQ(facts_at_clock(row, kCensusAt, logs).version->number, 0);
  ModelVersion first;
  first.number = 1;
  first.trained_epoch = kFirstEpoch;
  models.append(std::make_shared<const ModelVersion>(std::move(first)));
  EXPECT_EQ(facts_at_clock(row, kCensusAt, logs).version->number, 0);
}

TEST(Census, ShowsThePresetRfmByRecencyAndFrequencyWithMoney) {
  Rules rules;
  const std::size_t rfm = rules.segmentations.find("rfm");
  const ScoreGrid grid = score_grid(rules, rfm, ModelVersion{}, Population{});
  ASSERT_EQ(grid.axes.size(), 2U);
  EXPECT_EQ(grid.axes[0].name, "r");
  EXPECT_EQ(grid.axes[1].name, "fm");
  EXPECT_EQ(grid.axes[1].scores, 5);
  ASSERT_EQ(grid.cells.size(), 25U);
  const auto names = [&](std::size_t cell) {
    std::string text;
    for (const std::uint16_t segment : grid.cells[cell].segments)
      (text += rules.segmentations[rfm].info(segment).name) += ';';
    return text;
  };
  EXPECT_EQ(names(24), "Champions;");
  EXPECT_EQ(names(0), "Hibernating;");
  EXPECT_EQ(names(4), "Can't Lose;");
  ASSERT_EQ(grid.cuts.size(), 3U);
}

}  // namespace
}  // namespace rfm
