// Goal: `export` and `inspect` show what a replay has stored, exactly, and say clearly what is
// wrong.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string_view>
#include <thread>

#include "stream/app/export_command.h"
#include "stream/app/inspect_command.h"
#include "stream/app/replay_command.h"
#include "tests/app/command_line.h"

namespace rfm {
namespace {

// Two invoices and a credit, a customer with a comma and a quote in what they are called, and one
// who only returned.
std::string event(const std::string& type, const std::string& number, const std::string& customer,
                  const std::string& time, const std::string& total, const std::string& country) {
  return R"({"type":")" + type + R"(","invoice_no":")" + number + R"(","customer_id":")" +
         customer + R"(","invoice_time":"2024-01-)" + time + R"(:00:00Z","currency":"GBP",)" +
         R"("country":")" + country + R"(","total":")" + total + "\"}\n";
}

std::string invoices() {
  const std::string korea = R"(Korea, \"South\")";
  return event("invoice", "1", "b", "01T10", "10.5", korea) +
         event("invoice", "2", "a", "02T10", "2.25", "France") +
         event("invoice", "3", "b", "11T10", "0.0004", korea) +
         event("credit", "4", "b", "12T10", "3", korea) +
         event("credit", "5", "c", "12T11", "7", "Spain");
}

constexpr const char* kHeader =
    "customer_id,country,first_purchase,last_purchase,recency_days,frequency,monetary,aov,rfm_r,"
    "rfm_f,rfm_m,churn,cluster,rfm,churn_risk,value_at_risk,action,as_of,partition";

class StateCommands : public testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(directory_.file("in.jsonl")) << invoices();
    state_ = directory_.file("state");
    const absl::Status made = replayed({"--until", "2024-01-21", "--state", state_});
    ASSERT_TRUE(made.ok()) << made;
  }

  absl::Status replayed(std::vector<std::string> arguments) {
    const std::string input = directory_.file("in.jsonl");
    arguments.insert(arguments.begin(), {"replay", "--input", input});
    if (std::ranges::find(arguments, "--format") == arguments.end())
      arguments.insert(arguments.end(), {"--format", "invoices"});
    testing::internal::CaptureStdout();
    absl::Status status = run_command(add_replay_command, std::move(arguments));
    testing::internal::GetCapturedStdout();
    return status;
  }

  absl::Status exported(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"export", "customers"});
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    absl::Status status = run_command(add_export_command, std::move(arguments));
    shown_ = testing::internal::GetCapturedStdout();
    notes_ = testing::internal::GetCapturedStderr();
    return status;
  }

  absl::Status inspected(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"inspect", "customer"});
    testing::internal::CaptureStdout();
    absl::Status status = run_command(add_inspect_command, std::move(arguments));
    shown_ = testing::internal::GetCapturedStdout();
    return status;
  }

  TestDirectory directory_;
  std::string state_;
  std::string shown_;
  std::string notes_;
};

TEST_F(StateCommands, ExportWritesEveryCustomerAsOfTheClock) {
  const std::string path = directory_.file("customers.csv");
  ASSERT_TRUE(exported({"--state", state_, "--output", path}).ok());
  const std::vector<std::string> lines = read_lines(path);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0], kHeader);
  const auto starts_with = [](const std::string& line, const std::string& values) {
    EXPECT_EQ(line.substr(0, values.size()), values);
  };
  starts_with(lines[1],
              "a,France,2024-01-02T10:00:00.000Z,2024-01-02T10:00:00.000Z,18.583333,1,2.2500,2."
              "2500,5,1,1,");
  EXPECT_NE(lines[1].find(",Unassigned,New,"), std::string::npos) << lines[1];
  starts_with(lines[2],
              R"(b,"Korea, ""South""",2024-01-01T10:00:00.000Z,2024-01-11T10:00:00.000Z,9.583333,)"
              "2,7.5004,3.7502,5,2,1,");
  EXPECT_NE(lines[2].find(",Unassigned,Potential Loyalist,"), std::string::npos) << lines[2];
  EXPECT_EQ(shown_, "");
  EXPECT_NE(notes_.find("2 customers as of 2024-01-21T00:00:00.000Z"), std::string::npos) << notes_;
}

TEST_F(StateCommands, ExportShowsWhoHasNoPurchaseOnDemand) {
  ASSERT_TRUE(exported({"--state", state_, "--all"}).ok());
  EXPECT_NE(
      shown_.find("\nc,Spain,,,,0,-7.0000,,,,,none,none,none,,,,2024-01-21T00:00:00.000Z,0\n"),
      std::string::npos)
      << shown_;
}

TEST_F(StateCommands, ExportTellsWhatComesNextOnDemand) {
  ASSERT_TRUE(exported({"--state", state_, "--all", "--outlook"}).ok());
  EXPECT_NE(shown_.find(",rfm,churn_next,churn_next_at,cluster_next,cluster_next_at,rfm_next,"
                        "rfm_next_at,churn_risk,value_at_risk,action,as_of,"),
            std::string::npos)
      << shown_;
  EXPECT_NE(
      shown_.find(",Potential Loyalist,,,,,About to Sleep,2024-03-11T10:00:00.001Z,,,recommend "
                  "related products"),
      std::string::npos)
      << shown_;
  EXPECT_NE(shown_.find(",none,none,none,,,,,,,,,,2024"), std::string::npos) << shown_;
}

TEST_F(StateCommands, InspectShowsTheNewestOfALongLedger) {
  std::ofstream more(directory_.file("in.jsonl"), std::ios::app);
  for (int i = 0; i < 12; ++i)
    more << event("invoice", std::to_string(100 + i), "d",
                  std::to_string(13 + i / 4) + "T1" + std::to_string(i % 4),
                  "1." + std::to_string(10 + i), "France");
  more.close();
  const std::string state = directory_.file("longer");
  ASSERT_TRUE(replayed({"--until", "2024-01-21", "--state", state}).ok());
  ASSERT_TRUE(inspected({"d", "--state", state}).ok());
  EXPECT_NE(shown_.find("Ledger: 12 entries, the newest 10"), std::string::npos) << shown_;
  EXPECT_EQ(shown_.find("1.1100"), std::string::npos) << shown_;
  EXPECT_NE(shown_.find("1.1200"), std::string::npos) << shown_;
  ASSERT_TRUE(inspected({"d", "--state", state, "--ledger"}).ok());
  EXPECT_NE(shown_.find("1.1000"), std::string::npos) << shown_;
}

TEST_F(StateCommands, InspectShowsLedgerAndWhatComesNext) {
  ASSERT_TRUE(inspected({"b", "--state", state_}).ok());
  for (const char* part :
       {"Customer b, Korea, \"South\"", "2024-01-21T00:00:00.000Z", "2 invoices",
        "GBP 7.5004 (net): sales 10.5004, credits 3.0000",
        "the highest is best; money in GBP (few customers: fixed limits)", "amount, GBP",
        // The first millisecond after the cut.
        "2024-02-10T10:00:00.001Z  rfm: 30.0 days of silence are passed", "Ledger: 3 entries",
        "credit           -3.0000"}) {
    EXPECT_NE(shown_.find(part), std::string::npos) << part << "\n" << shown_;
  }
  EXPECT_EQ(shown_.find("birth"), std::string::npos) << shown_;
}

TEST_F(StateCommands, InspectWritesJson) {
  ASSERT_TRUE(inspected({"b", "--state", state_, "--json"}).ok());
  for (const char* part :
       {R"("customer_id":"b")", R"("as_of":"2024-01-21T00:00:00.000Z")", R"("monetary":7.5004)",
        // FM = 2 is Potential Loyalist at R 5 and R 4, About to Sleep at R 3.
        R"("next":{"at":"2024-03-11T10:00:00.001Z","segment":"About to Sleep"})",
        R"("type":"credit","amount":-3.0000)"}) {
    EXPECT_NE(shown_.find(part), std::string::npos) << part << "\n" << shown_;
  }
}

TEST_F(StateCommands, InspectShowsWhatIsHeldBackAndHowLongItIsQuiet) {
  const std::string held = directory_.file("held");
  ASSERT_TRUE(
      replayed({"--until", "2024-02-10", "--state", held, "--set", "segmentation.rfm.stay=60d"})
          .ok());
  ASSERT_TRUE(inspected({"a", "--state", held}).ok());
  EXPECT_NE(shown_.find("held back since 2024-02-01T10:00:01.000Z: Promising (inactivity), until "
                        "2024-03-02T10:00:00.000Z"),
            std::string::npos)
      << shown_;
  ASSERT_TRUE(inspected({"a", "--state", held, "--json"}).ok());
  EXPECT_NE(shown_.find(R"("held":{"segment":"Promising","reason":"inactivity",)"),
            std::string::npos)
      << shown_;
  const std::string quiet = directory_.file("quiet");
  ASSERT_TRUE(replayed({"--until", "2024-01-05", "--state", quiet}).ok());
  ASSERT_TRUE(inspected({"a", "--state", quiet}).ok());
  EXPECT_NE(shown_.find("quiet until 2024-01-09T10:00:00.000Z"), std::string::npos) << shown_;
}

TEST_F(StateCommands, InspectShowsHowFarGivenCentroidsAre) {
  std::ofstream(directory_.file("points.toml")) << R"([segmentation.points]
scorer = "cluster"
centroids = [{segment = "Near", r = 9, f = 2, m = 7.5}, {segment = "Far", r = 400, f = 1, m = 0}]
scale = [1, 1, 1]
hysteresis = 0
segments = [{name = "Near", rank = 2}, {name = "Far", rank = 1}]
)";
  const std::string points = directory_.file("points");
  ASSERT_TRUE(replayed({"--until", "2024-01-21", "--state", points, "--config",
                        directory_.file("points.toml")})
                  .ok());
  ASSERT_TRUE(inspected({"b", "--state", points}).ok());
  const std::size_t title = shown_.find("points: how far from the middle of each group");
  ASSERT_NE(title, std::string::npos) << shown_;
  EXPECT_NE(shown_.find("\n    Near ", title), std::string::npos) << shown_;
  EXPECT_NE(shown_.find("\n    Far ", title), std::string::npos) << shown_;
  EXPECT_EQ(shown_.find("cluster: how far"), std::string::npos) << shown_;  // No model yet.
}

TEST_F(StateCommands, SayWhatIsWrong) {
  const absl::Status unknown = inspected({"17850", "--state", state_});
  EXPECT_EQ(unknown.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(std::string(unknown.message()).find("no customer 17850 among the 3"), std::string::npos)
      << unknown;
  EXPECT_EQ(exported({"--state", directory_.file("nowhere")}).code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(directory_.file("nowhere")));
  std::filesystem::create_directory(directory_.file("empty"));
  EXPECT_EQ(exported({"--state", directory_.file("empty")}).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(exported({}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(exported({"--state", state_, "--set", "model.cluster=3"}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(exported({"--state", state_, "--output", directory_.file("no/such/place.csv")}).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(StateCommands, SettingsThatContradictTheStateAreRefused) {
  const absl::Status refused = exported({"--state", state_, "--set", "rfm.monetary=gross"});
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(refused.message().find("rfm.monetary: net in the model log, gross here"),
            std::string::npos)
      << refused;
  EXPECT_TRUE(exported({"--state", state_, "--set", "rfm.monetary=net"}).ok());
}

TEST_F(StateCommands, ExportWritesThroughALink) {
  const std::string target = directory_.file("target.csv");
  const std::string link = directory_.file("link.csv");
  std::ofstream(target) << "old";
  std::filesystem::create_symlink(target, link);
  ASSERT_TRUE(exported({"--state", state_, "--output", link}).ok());
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(read_lines(target).front(), kHeader);
  EXPECT_EQ(exported({"--state", state_, "--output", "/dev/full"}).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

TEST_F(StateCommands, AReplayGoesOnOnlyAsItWasBegun) {
  EXPECT_TRUE(replayed({"--state", state_, "--until", "2024-01-21"}).ok());
  const auto refuses = [&](std::vector<std::string> more, absl::StatusCode code,
                           const std::string& why) {
    more.insert(more.end(), {"--state", state_});
    const absl::Status status = replayed(more);
    EXPECT_EQ(status.code(), code) << why;
    EXPECT_NE(status.message().find(why), std::string::npos) << status;
  };
  constexpr auto kRefused = absl::StatusCode::kFailedPrecondition;
  constexpr auto kOtherSettings = absl::StatusCode::kInvalidArgument;  // Exit status 2.
  refuses({"--until", "2024-01-10"}, kRefused,
          "has read records up to 2024-01-12T11:00:00.000Z already");
  refuses({"--output", directory_.file("out")}, kRefused, "was not written anywhere");
  refuses({"--go-live", "2024-01-10"}, kOtherSettings, "was begun without it");
  refuses({"--set", "rfm.monetary=gross"}, kOtherSettings, "rfm.monetary");
}

TEST_F(StateCommands, AReplayGoesOnWithItsOwnInput) {
  const std::string input = directory_.file("in.jsonl");
  std::ofstream(input, std::ios::app) << event("invoice", "6", "d", "20T10", "1", "Spain");
  EXPECT_TRUE(replayed({"--state", state_}).ok()) << "it has grown at its end";
  std::ofstream(input) << event("invoice", "7", "d", "20T10", "1", "Spain") << invoices();
  const absl::Status other = replayed({"--state", state_});
  EXPECT_EQ(other.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(other.message().find("begins with another record"), std::string::npos) << other;
}

TEST_F(StateCommands, AReplayKeepsTheTimeItsInputWasReceived) {
  const std::string state = directory_.file("received");
  ASSERT_TRUE(replayed({"--state", state, "--received-at", "2024-03-01"}).ok());
  EXPECT_TRUE(replayed({"--state", state}).ok());
  const absl::Status changed = replayed({"--state", state, "--received-at", "2024-03-02"});
  EXPECT_EQ(changed.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(changed.message().find("begun with 2024-03-01T00:00:00.000Z"), std::string::npos)
      << changed;
}

TEST_F(StateCommands, AReplayOverwritesNothing) {
  const std::string output = directory_.file("out");
  ASSERT_TRUE(replayed({"--output", output}).ok());
  const std::string before = read_file(output + "/transitions.jsonl");
  EXPECT_EQ(replayed({"--output", output}).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(read_file(output + "/transitions.jsonl"), before);
}

TEST_F(StateCommands, AReplayTellsTheFormatOfItsFile) {
  const auto told = [this](const std::string& name, const std::string& content) {
    const std::string path = directory_.file(name);
    std::ofstream(path) << content;
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    const absl::Status status = run_command(add_replay_command, {"replay", "--input", path});
    shown_ = testing::internal::GetCapturedStdout();
    notes_ = testing::internal::GetCapturedStderr();
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_NE(shown_.find(" 0 dead letters"), std::string::npos) << shown_;
  };
  told("a", invoices());
  EXPECT_NE(notes_.find("read as invoices"), std::string::npos) << notes_;
  told("b", R"({"InvoiceNo":"1","StockCode":"2","Description":"","Quantity":1,"UnitPrice":2,)"
            R"("InvoiceDate":"2024-01-01T10:00:00Z","CustomerID":"3","Country":""})"
            "\n");
  EXPECT_NE(notes_.find("read as lines"), std::string::npos) << notes_;
  told("c",
       "InvoiceNo;StockCode;Description;Quantity;InvoiceDate;UnitPrice;CustomerID;Country\n"
       "1;2;;1;2024-01-01 10:00:00;2;3;France\n");
  EXPECT_NE(notes_.find("read as csv"), std::string::npos) << notes_;
  told("d", "");
  EXPECT_EQ(notes_.find("read as"), std::string::npos) << notes_;
}

// Standard input as a pipe, which is read once.
TEST_F(StateCommands, AReplayTellsTheFormatOfStandardInput) {
  const int terminal = ::dup(STDIN_FILENO);
  for (const std::string& content :
       {invoices(), invoices() + std::string(100'000, ' ') + "\n" + invoices()}) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    std::thread writer([&] {
      std::string_view rest = content;
      while (!rest.empty())
        rest.remove_prefix(static_cast<std::size_t>(::write(ends[1], rest.data(), rest.size())));
      ::close(ends[1]);
    });
    ::dup2(ends[0], STDIN_FILENO);
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    const absl::Status status = run_command(add_replay_command, {"replay", "--input", "-"});
    shown_ = testing::internal::GetCapturedStdout();
    notes_ = testing::internal::GetCapturedStderr();
    writer.join();
    ::close(ends[0]);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_NE(notes_.find("standard input: read as invoices"), std::string::npos) << notes_;
    const std::string records = content.size() < 50'000 ? "5 records" : "10 records";
    EXPECT_EQ(shown_.find(records), 0U) << shown_;
  }
  ::dup2(terminal, STDIN_FILENO);
  ::close(terminal);
}

TEST_F(StateCommands, AReplaySaysWhatItKeeps) {
  const auto notes = [this](std::vector<std::string> more) {
    testing::internal::CaptureStderr();
    EXPECT_TRUE(replayed(std::move(more)).ok());
    return testing::internal::GetCapturedStderr();
  };
  EXPECT_NE(notes({}).find("nothing is kept but the counts: --summary"), std::string::npos);
  for (const std::vector<std::string>& kept : {std::vector<std::string>{"--summary"},
                                               {"--output", directory_.file("o")},
                                               {"--state", directory_.file("s")}}) {
    EXPECT_EQ(notes(kept).find("nothing is kept"), std::string::npos) << kept.front();
  }
}

TEST_F(StateCommands, TheSummaryEndsWithTheSegmentsAndTellsMoneyWithItsCurrency) {
  const std::string path = directory_.file("in.csv");
  std::ofstream(path)
      << "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
         "1,2,,1,2024-01-01 10:00:00,2.25,3,France\n"
         "2,2,,4,2024-01-01 11:00:00,2.5,,France\n"
         "C3,2,,-1,2024-01-01 12:00:00,2.5,,France\n";
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  const absl::Status status =
      run_command(add_replay_command, {"replay", "--input", path, "--summary"});
  shown_ = testing::internal::GetCapturedStdout();
  testing::internal::GetCapturedStderr();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_NE(shown_.find("  GBP 7.50: sales 10.00, "
                        "credits 2.50\n"),
            std::string::npos)
      << shown_;
  const std::size_t segments =
      shown_.find("\nSegments as of 2024-01-01T10:02:00.000Z: 1 customers");
  ASSERT_NE(segments, std::string::npos) << shown_;
  for (const char* part : {"  cluster, by groups of alike customers ", "  churn, by risk ",
                           "  rfm, by recency, frequency and monetary ", " GBP "})
    EXPECT_NE(shown_.find(part, segments), std::string::npos) << part << "\n" << shown_;
  EXPECT_LT(shown_.find("Transitions by reason"), segments);
}

TEST_F(StateCommands, AReplaySaysWhenNothingCouldBeUsed) {
  const absl::Status lines = replayed({"--format", "lines"});
  EXPECT_EQ(lines.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(lines.message().find("--format"), std::string::npos) << lines;
}

TEST_F(StateCommands, AReplayFollowsOneModelLogOnly) {
  ASSERT_TRUE(replayed({"--output", directory_.file("out")}).ok());
  const std::string log = directory_.file("out/model.jsonl");
  const std::string following = directory_.file("following");
  ASSERT_TRUE(replayed({"--state", following, "--model-log", log}).ok());
  EXPECT_TRUE(replayed({"--state", following, "--model-log", log}).ok());
  std::string other = read_file(log);
  const std::string population = R"("population":2)";
  other.replace(other.find(population), population.size(), R"("population":3)");
  std::ofstream(directory_.file("other.jsonl")) << other;
  const absl::Status refused =
      replayed({"--state", following, "--model-log", directory_.file("other.jsonl")});
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(refused.message().find("another model log, which differs at version/19725"),
            std::string::npos)
      << refused;
  // Versions belong to the rules they were trained under.
  const absl::Status other_rules = replayed({"--model-log", log, "--set", "rfm.monetary=gross"});
  EXPECT_EQ(other_rules.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(other_rules.message().find("rfm.monetary"), std::string::npos) << other_rules;
}

TEST_F(StateCommands, AReplayLeavesADamagedStateToItsUser) {
  std::ofstream(state_ + "/CURRENT", std::ios::trunc) << "nothing\n";
  const absl::Status damaged = replayed({"--state", state_});
  EXPECT_EQ(damaged.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(damaged.message().find(state_), std::string::npos) << damaged;
  EXPECT_TRUE(std::filesystem::exists(state_));
}

}  // namespace
}  // namespace rfm
