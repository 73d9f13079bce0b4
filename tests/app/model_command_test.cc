// Goal: an operator sees what is trained and what is held, and is told why nothing can be promoted.
#include "stream/app/model_command.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>

#include "state/epoch.h"
#include "stream/app/replay_command.h"
#include "stream/text/time_text.h"
#include "tests/app/command_line.h"

namespace rfm {
namespace {

constexpr std::int64_t kFirstDay = 19'723;  // 2024-01-01, a Monday.
constexpr int kDays = 150;
const std::vector<std::string> kSmall = {"--set", "model.population_on=20",
                                         "--set", "model.population_off=10",
                                         "--set", "model.cluster_history=7d"};

// Each day a fifth of the customers, who come at intervals of their own, buy something.
std::string invoices() {
  std::string text;
  for (int day = 0; day < kDays; ++day) {
    for (int customer = 0; customer < 40; ++customer) {
      if ((day * 7 + customer * (1 + customer % 4)) % 5 != 0) continue;
      const EventTime at = boundary_of(kFirstDay + day) + std::chrono::minutes{600 + customer};
      text += fmt::format(R"({{"type":"invoice","invoice_no":"{0}-{1}","customer_id":"c{1}",)"
                          R"("invoice_time":"{2}","currency":"GBP","total":"{3}"}})"
                          "\n",
                          day, customer, to_rfc3339(at), 10 + customer);
    }
  }
  return text;
}

class ModelCommand : public testing::Test {
 protected:
  void SetUp() override { std::ofstream(directory_.file("in.jsonl")) << invoices(); }

  std::string state() const { return directory_.file("state"); }

  void replay_until(std::int64_t day, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"replay",   "--input",  directory_.file("in.jsonl"),
                                          "--format", "invoices", "--state",
                                          state(),    "--until",  to_rfc3339(boundary_of(day))};
    arguments.insert(arguments.end(), kSmall.begin(), kSmall.end());
    arguments.insert(arguments.end(), more.begin(), more.end());
    testing::internal::CaptureStdout();
    const absl::Status status = run_command(add_replay_command, std::move(arguments));
    testing::internal::GetCapturedStdout();
    ASSERT_TRUE(status.ok()) << status;
  }

  absl::Status model(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "model");
    testing::internal::CaptureStdout();
    absl::Status status = run_command(add_model_command, std::move(arguments));
    shown_ = testing::internal::GetCapturedStdout();
    return status;
  }

  bool shows(const std::string& text) const { return shown_.find(text) != std::string::npos; }

  TestDirectory directory_;
  std::string shown_;
};

TEST_F(ModelCommand, ShowsWhatIsInForceAndWhatIsHeld) {
  const std::vector<std::string> holding = {"--set", "model.moved_max=0", "--set",
                                            "model.challenger_gain=0"};
  replay_until(kFirstDay + 1, holding);
  const absl::Status none = model({"show", "--state", state()});
  EXPECT_EQ(none.code(), absl::StatusCode::kNotFound) << none;
  EXPECT_NE(none.message().find("no model has been trained yet"), std::string::npos) << none;
  replay_until(kFirstDay + 60, holding);
  ASSERT_TRUE(model({"show", "--state", state()}).ok());
  EXPECT_TRUE(shows("Model version ")) << shown_;
  EXPECT_TRUE(shows("on 40 customers, in force from 2024-03-02 on")) << shown_;
  EXPECT_TRUE(shows("\nrecency    quantile  5     30.0 days")) << shown_;
  EXPECT_TRUE(shows("\nClusters\nid  name")) << shown_;
  EXPECT_FALSE(shows("Held")) << shown_;
  // From the ninth refit on; which of them finds better clusters is the history's.
  for (std::int64_t day = kFirstDay + 75; day < kFirstDay + kDays && !shows("Held"); day += 7) {
    replay_until(day, holding);
    ASSERT_TRUE(model({"show", "--state", state()}).ok());
  }
  EXPECT_TRUE(shows("\nHeld since 2024-0")) << shown_;
  EXPECT_TRUE(shows("% better")) << shown_;
  EXPECT_TRUE(shows("`rfmstream model promote` takes them")) << shown_;
}

// There is nobody to ask.
TEST_F(ModelCommand, PromoteTakesNoStateDirectory) {
  EXPECT_EQ(model({"promote", "--state", state()}).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace rfm
