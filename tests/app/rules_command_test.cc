// Goal: the rules of a state directory are shown, compared and changed as an operator asks; what
// cannot be is refused with the key and the reason; a replay follows what was logged.
#include "stream/app/rules_command.h"

#include <gtest/gtest.h>

#include <fstream>

#include "stream/app/replay_command.h"
#include "tests/app/command_line.h"

namespace rfm {
namespace {

std::string invoice(int number, const std::string& customer, int day) {
  const std::string date = (day < 31 ? "2024-01-" : "2024-02-") +
                           std::string(day % 31 < 9 ? "0" : "") + std::to_string(day % 31 + 1);
  return R"({"type":"invoice","invoice_no":")" + std::to_string(number) + R"(","customer_id":")" +
         customer + R"(","invoice_time":")" + date +
         R"(T10:00:00Z","currency":"GBP","total":"10"})" + "\n";
}

// One customer a day, of ten.
std::string invoices(int first_day, int end_day) {
  std::string text;
  for (int day = first_day; day < end_day; ++day)
    text += invoice(day, "c" + std::to_string(day % 10), day);
  return text;
}

const std::vector<std::string> kHasty = {"--set", "segmentation.churn.enabled=false", "--set",
                                         "segmentation.rfm.preset=putler"};

class RulesCommand : public testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(directory_.file("in.jsonl")) << invoices(0, 20);
    const absl::Status made = replayed({});
    ASSERT_TRUE(made.ok()) << made;
  }

  std::string state() const { return directory_.file("state"); }

  absl::Status replayed(std::vector<std::string> more, const std::string& state = "state") {
    std::vector<std::string> arguments = {"replay",
                                          "--input",
                                          directory_.file("in.jsonl"),
                                          "--format",
                                          "invoices",
                                          "--state",
                                          directory_.file(state),
                                          "--output",
                                          directory_.file(state + ".out")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    testing::internal::CaptureStdout();
    absl::Status status = run_command(add_replay_command, std::move(arguments));
    testing::internal::GetCapturedStdout();
    return status;
  }

  absl::Status ruled(std::vector<std::string> arguments,
                     const std::vector<std::string>& more = {}) {
    arguments.insert(arguments.begin(), "rules");
    arguments.insert(arguments.end(), more.begin(), more.end());
    testing::internal::CaptureStdout();
    absl::Status status = run_command(add_rules_command, std::move(arguments));
    shown_ = testing::internal::GetCapturedStdout();
    return status;
  }

  bool shows(const std::string& text) const { return shown_.find(text) != std::string::npos; }

  TestDirectory directory_;
  std::string shown_;
};

TEST_F(RulesCommand, ChecksTheSettings) {
  ASSERT_TRUE(ruled({"check"}).ok());
  EXPECT_TRUE(shows("the rules are valid")) << shown_;
  const absl::Status refused = ruled({"check", "--set", "segmentation.rfm.stay=soon"});
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(refused.message().find("segmentation.rfm.stay"), std::string::npos) << refused;
}

TEST_F(RulesCommand, ShowsVersionsWithTheirBoundaries) {
  ASSERT_TRUE(ruled({"show", "--state", state()}).ok());
  EXPECT_TRUE(shows("the first record")) << shown_;
  const absl::Status applied = ruled({"apply", "--state", state()}, kHasty);
  ASSERT_TRUE(applied.ok()) << applied;
  EXPECT_TRUE(shows("rules version 2 is logged and holds from 2024-01-2")) << shown_;
  ASSERT_TRUE(ruled({"show", "--state", state()}).ok());
  EXPECT_TRUE(shows("\nVersion 2")) << shown_;
  EXPECT_TRUE(shows("2024-01-2")) << shown_;
  ASSERT_TRUE(ruled({"show", "--state", state(), "--version", "1"}).ok());
  EXPECT_TRUE(shows("\nVersion 1")) << shown_;
  const absl::Status none = ruled({"show", "--state", state(), "--version", "3"});
  EXPECT_EQ(none.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(none.message().find("allowed: 1 to 2"), std::string::npos) << none;
}

TEST_F(RulesCommand, SaysWhatDiffers) {
  ASSERT_TRUE(ruled({"diff", "--state", state()}).ok());
  EXPECT_TRUE(shows("nothing differs from version 1")) << shown_;
  ASSERT_TRUE(ruled({"diff", "--state", state(), "--set", "action.quiet=3d"}).ok());
  EXPECT_TRUE(shows("action.quiet  7d")) << shown_;
  EXPECT_FALSE(shows("refuses")) << shown_;
  ASSERT_TRUE(ruled({"diff", "--state", state(), "--set", "rfm.window=90d"}).ok());
  EXPECT_TRUE(shows("`rules apply` refuses")) << shown_;
  ASSERT_TRUE(ruled({"apply", "--state", state(), "--set", "action.quiet=3d"}).ok());
  ASSERT_TRUE(ruled({"diff", "--state", state(), "--from", "1", "--version", "2"}).ok());
  EXPECT_TRUE(shows("action.quiet  7d")) << shown_;
}

TEST_F(RulesCommand, ADryRunSaysWhoWouldMove) {
  std::vector<std::string> arguments = {
      "dry-run",  "--state",  state(),  "--input", directory_.file("in.jsonl"),
      "--format", "invoices", "--days", "10"};
  ASSERT_TRUE(ruled(arguments, kHasty).ok());
  EXPECT_TRUE(shows("for 10 customers")) << shown_;
  EXPECT_TRUE(shows("churn: 10 of 10 customers would move")) << shown_;
  EXPECT_TRUE(shows("Unassigned")) << shown_;
  EXPECT_TRUE(shows("cluster: 0 of 10 customers would move")) << shown_;
  EXPECT_TRUE(shows("c1, c3")) << shown_;
  EXPECT_TRUE(shows("Transitions a day in the 10 days to 2024-01-20")) << shown_;
  // It has changed nothing.
  ASSERT_TRUE(ruled({"diff", "--state", state()}).ok());
  EXPECT_TRUE(shows("nothing differs from version 1")) << shown_;
}

TEST_F(RulesCommand, AReplayFollowsWhatIsAppliedAndRefusesOthers) {
  std::ofstream(directory_.file("in.jsonl"), std::ios::app) << invoices(20, 40);
  ASSERT_TRUE(ruled({"apply", "--state", state()}, kHasty).ok());
  const absl::Status old = replayed({});
  EXPECT_EQ(old.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(old.message().find("segmentation.churn"), std::string::npos) << old;
  EXPECT_NE(old.message().find("rules diff"), std::string::npos) << old;
  const absl::Status followed = replayed(kHasty);
  ASSERT_TRUE(followed.ok()) << followed;
  std::size_t ended = 0;
  for (const std::string& line : read_lines(directory_.file("state.out/transitions.jsonl"))) {
    if (line.find(R"("reason":"rules_change")") == std::string::npos) continue;
    ++ended;
    EXPECT_NE(line.find(R"("actionable":false)"), std::string::npos) << line;
    EXPECT_NE(line.find(R"("rules":2)"), std::string::npos) << line;
  }
  EXPECT_GE(ended, 10U) << "churn ends for each of ten";

  // Back again: the chain of `churn` goes on.
  ASSERT_TRUE(ruled({"rollback", "--to", "1", "--state", state()}).ok());
  EXPECT_TRUE(shows("rules version 3 is logged")) << shown_;
  std::ofstream(directory_.file("in.jsonl"), std::ios::app) << invoices(40, 55);
  ASSERT_TRUE(replayed({}).ok());
  ASSERT_TRUE(ruled({"diff", "--state", state(), "--from", "1", "--version", "3"}).ok());
  EXPECT_TRUE(shows("nothing differs")) << shown_;
}

TEST_F(RulesCommand, RefusesWhatCannotChange) {
  for (const char* command : {"apply", "dry-run"}) {
    const absl::Status refused = ruled({command, "--state", state(), "--set", "rfm.window=90d"});
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(refused.message().find("rfm.window"), std::string::npos) << refused;
  }
  const absl::Status none = ruled({"rollback", "--to", "7", "--state", state()});
  EXPECT_EQ(none.code(), absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(ruled({"apply", "--state", state()}).ok());
  EXPECT_TRUE(shows("nothing to do")) << shown_;
}

}  // namespace
}  // namespace rfm
