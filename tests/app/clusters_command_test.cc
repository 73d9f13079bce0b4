// Goal: `evaluate clusters` takes one number of clusters or a range, refuses others saying what is
// allowed, and says of a history of three groups that there are three.
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "stream/app/evaluate_command.h"
#include "tests/app/command_line.h"

namespace rfm {
namespace {

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string sale(int number, int customer, int day, int pounds) {
  return R"({"type":"invoice","invoice_no":")" + std::to_string(number) + R"(","customer_id":"c)" +
         std::to_string(customer) + R"(","invoice_time":)" +
         std::to_string(1'704'067'200 + day * 86'400 + customer % 997) +
         R"(,"currency":"GBP","country":"France","total":")" + std::to_string(pounds) + "\"}\n";
}

// From 2024-01-01, a Monday: a third buy much every fourth day, a third twice, a third once.
std::string three_groups() {
  std::mt19937_64 rng(1);
  std::string text;
  int number = 0;
  for (int day = 0; day < 42; ++day) {
    for (int customer = 0; customer < 90; ++customer) {
      const int group = customer % 3;
      const int shift = customer * 7 % 5;
      const bool buys = group == 0   ? day % 4 == 3
                        : group == 1 ? day == 10 + shift || day == 20 + shift
                                     : day == shift;
      const int pounds = group == 0 ? 400 : group == 1 ? 100 : 20;
      if (buys) text += sale(++number, customer, day, pounds + static_cast<int>(rng() % 5));
    }
  }
  return text;
}

class ClustersCommand : public testing::Test {
 protected:
  void SetUp() override { std::ofstream(directory_.file("in.jsonl")) << three_groups(); }

  absl::Status evaluate(std::vector<std::string> arguments, const std::string& from = "2024-01-08",
                        const std::string& until = "2024-02-13") {
    arguments.insert(arguments.begin(),
                     {"evaluate", "clusters", "--input", directory_.file("in.jsonl"), "--format",
                      "invoices", "--from", from, "--until", until});
    for (const char* setting : {"input.epoch=seconds", "model.population_on=60",
                                "model.population_off=60", "model.cluster_history=7d"})
      arguments.insert(arguments.end(), {"--set", setting});
    testing::internal::CaptureStdout();
    absl::Status status = run_command(add_evaluate_command, std::move(arguments));
    printed_ = testing::internal::GetCapturedStdout();
    return status;
  }

  const TestDirectory directory_;
  std::string printed_;
};

TEST_F(ClustersCommand, RefusesWhatIsNoNumberOfClusters) {
  for (const char* text : {"1", "17", "0", "-3", "x", "", "4.0", "2..", "..5", "5..2", "2..17",
                           "1..4", "2..4..6", "2...4", "2-4", " 3", "99999999999"}) {
    const absl::Status status = evaluate({std::string("--k=") + text});
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    if (*text == '\0') continue;  // The command line's reader refuses it in its own words.
    EXPECT_TRUE(
        has(std::string(status.message()), std::string("--k ") + text + " is refused; allowed: "))
        << status;
    EXPECT_TRUE(has(std::string(status.message()), "from 2 to 16")) << status;
  }
}

TEST_F(ClustersCommand, OneNumberIsThatOfTheModel) {
  ASSERT_TRUE(evaluate({"--k", "3"}).ok());
  const std::string by_option = printed_;
  ASSERT_TRUE(evaluate({"--set", "model.clusters=3"}).ok());
  EXPECT_EQ(by_option, printed_);
  EXPECT_TRUE(has(printed_, "in effect / fresh"));
}

TEST_F(ClustersCommand, ARangeIsComparedLineByLine) {
  const absl::Status status = evaluate({"--k", "2..5"});
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(printed_.starts_with("90 customers on 2024-02-12: ")) << printed_;
  EXPECT_FALSE(has(printed_, "lowest hashes")) << printed_;
  EXPECT_TRUE(has(printed_, "Inertia: an elbow at k = 3: ")) << printed_;
  EXPECT_TRUE(has(printed_, "Silhouette: highest at k = 3: ")) << printed_;
  for (const char* axis : {"\nR (days) alone\n", "\nF (invoices) alone\n", "\nM (GBP) alone\n"})
    EXPECT_TRUE(has(printed_, axis)) << printed_;
  std::istringstream lines(printed_);
  int table_lines = 0;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 100U) << line;
    table_lines += line.starts_with("    ") && line.find_first_of("2345") == 4 ? 1 : 0;
  }
  EXPECT_EQ(table_lines, 4 * 4) << printed_;
}

TEST_F(ClustersCommand, AHistoryMayEndAtARefit) {
  for (const char* counts : {"3..3", "2..3"}) {
    const absl::Status status = evaluate({"--k", counts}, "2024-01-08", "2024-02-12");
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_TRUE(has(printed_, "2024-02-12")) << printed_;
  }
}

TEST_F(ClustersCommand, NeedsARefit) {
  const absl::Status status = evaluate({"--k", "2..5"}, "2030-01-01");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(has(std::string(status.message()), "no refit in this history")) << status;
}

}  // namespace
}  // namespace rfm
