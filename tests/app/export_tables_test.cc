// Goal: the tables of `export` hold what a replay has stored, in CSV and in SQLite alike, and
// Power BI's files can be joined.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <csignal>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "stream/app/export_command.h"
#include "stream/app/replay_command.h"
#include "stream/app/report_command.h"
#include "stream/app/stop_signal.h"
#include "tests/app/command_line.h"

namespace rfm {
namespace {

constexpr const char* kCsv =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    "1,A,\"Mug, red\",2,2024-01-01 10:00:00,5.25,b,France\n"
    "2,B,Bowl,1,2024-01-02 10:00:00,2.25,a,\"Korea, South\"\n"
    "3,B,Bowl,4,2024-02-11 10:00:00,2.25,b,France\n"
    "C4,A,\"Mug, red\",-1,2024-02-12 10:00:00,5.25,b,France\n"
    "C5,A,\"Mug, red\",-1,2024-02-12 11:00:00,5.25,c,Spain\n"
    "6,A,\"Mug, red\",3,2024-02-13 11:00:00,5.25,,Spain\n";

class ExportTables : public testing::Test {
 protected:
  void SetUp() override {
    input_ = directory_.file("sales.csv");
    state_ = directory_.file("state");
    std::ofstream(input_) << kCsv;
    quietly(add_replay_command, {"replay", "--input", input_, "--format", "csv", "--until",
                                 "2024-02-21", "--state", state_});
  }

  void quietly(AddCommand add, std::vector<std::string> arguments) {
    const absl::Status status = run(add, std::move(arguments));
    ASSERT_TRUE(status.ok()) << status;
  }

  absl::Status run(AddCommand add, std::vector<std::string> arguments) {
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    absl::Status status = run_command(add, std::move(arguments));
    shown_ = testing::internal::GetCapturedStdout();
    notes_ = testing::internal::GetCapturedStderr();
    return status;
  }

  std::vector<std::string> exported(const std::string& table) {
    const std::string path = directory_.file(table + ".csv");
    quietly(add_export_command, {"export", table, "--state", state_, "--output", path});
    return read_lines(path);
  }

  TestDirectory directory_;
  std::string input_;
  std::string state_;
  std::string shown_;
  std::string notes_;
};

// The rows of a query, their cells with bars between them; NULL as such.
std::vector<std::string> queried(const std::string& path, const std::string& sql) {
  sqlite3* opened = nullptr;
  EXPECT_EQ(sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> database(opened, sqlite3_close);
  sqlite3_stmt* prepared = nullptr;
  EXPECT_EQ(sqlite3_prepare_v2(opened, sql.c_str(), -1, &prepared, nullptr), SQLITE_OK)
      << sqlite3_errmsg(opened);
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(prepared, sqlite3_finalize);
  std::vector<std::string> rows;
  while (sqlite3_step(prepared) == SQLITE_ROW) {
    std::string row;
    for (int i = 0; i < sqlite3_column_count(prepared); ++i) {
      const unsigned char* const text = sqlite3_column_text(prepared, i);
      if (i > 0) row += '|';
      for (const unsigned char* at = text; text != nullptr && *at != 0; ++at)
        row += static_cast<char>(*at);
      if (text == nullptr) row += "NULL";
    }
    rows.push_back(row);
  }
  return rows;
}

TEST_F(ExportTables, SegmentsAreCountedWithTheirMoney) {
  const std::vector<std::string> lines = exported("segments");
  EXPECT_EQ(lines.at(0),
            "segmentation,segment,rank,description,action,customers,share,monetary,revenue_share,"
            "orders,aov,recency_days,frequency,monetary_mean,churn_risk,value_at_risk,currency,"
            "as_of");
  const auto found = std::ranges::find_if(
      lines, [](const std::string& line) { return line.starts_with("rfm,none,"); });
  ASSERT_NE(found, lines.end());
  EXPECT_EQ(*found,
            "rfm,none,0,No purchase counts.,,1,0.333333,-5.2500,-0.466667,0,,,0.000000,-5.2500,,,"
            "GBP,2024-02-21T00:00:00.000Z");
  EXPECT_NE(notes_.find("3 customers counted as of 2024-02-21"), std::string::npos) << notes_;
}

TEST_F(ExportTables, CohortsHoldEveryMonthUpToTheClock) {
  EXPECT_EQ(exported("cohorts"),
            (std::vector<std::string>{
                "cohort,customers,month,months_since,buyers,share,revenue,complete,currency,as_of",
                "2024-01,2,2024-01,0,2,1.000000,12.7500,1,GBP,2024-02-21T00:00:00.000Z",
                "2024-01,2,2024-02,1,1,0.500000,3.7500,0,GBP,2024-02-21T00:00:00.000Z"}));
}

TEST_F(ExportTables, AnSqliteFileHoldsThemAll) {
  const std::string path = directory_.file("shop.sqlite");
  std::ofstream(path) << "what was there";
  quietly(add_export_command, {"export", "sqlite", "--state", state_, "--output", path, "--all"});
  EXPECT_EQ(queried(path,
                    "SELECT customer_id, country, frequency, monetary, typeof(monetary), "
                    "churn_risk, recency_days FROM customers ORDER BY customer_id"),
            (std::vector<std::string>{"a|Korea, South|1|2.25|real|NULL|49.583333",
                                      "b|France|2|14.25|real|NULL|9.583333",
                                      "c|Spain|0|-5.25|real|NULL|NULL"}));
  EXPECT_EQ(queried(path, "SELECT SUM(revenue), SUM(buyers) FROM cohorts"),
            (std::vector<std::string>{"16.5|3"}));
  EXPECT_EQ(queried(path, "SELECT SUM(customers) FROM segments GROUP BY segmentation"),
            (std::vector<std::string>{"3", "3", "3"}));
  EXPECT_EQ(queried(path, "SELECT SUM(net), SUM(invoices), SUM(unnamed_records) FROM sales_by_day"),
            (std::vector<std::string>{"27.0|3|1"}));
  EXPECT_EQ(queried(path, "SELECT COUNT(*) > 0 FROM transitions"), (std::vector<std::string>{"1"}));
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
}

TEST_F(ExportTables, SalesAreOfEverybodyByDayHourAndProduct) {
  const std::vector<std::string> days = exported("sales");
  EXPECT_EQ(days.at(0),
            "date,country,customer_known,gross,credits,net,invoices,credit_notes,"
            "unnamed_records,units,customers,currency");
  EXPECT_EQ(days.at(1), "2024-01-01,France,1,10.5000,0.0000,10.5000,1,0,0,2.0000,1,GBP");
  EXPECT_EQ(days.back(), "2024-02-13,Spain,0,15.7500,0.0000,15.7500,0,0,1,3.0000,0,GBP");
  const auto by = [this](const std::string& what) {
    const std::string path = directory_.file("by.csv");
    quietly(add_export_command,
            {"export", "sales", "--by", what, "--state", state_, "--output", path});
    return read_lines(path);
  };
  const std::vector<std::string> hours = by("hour");
  EXPECT_EQ(hours.at(0),
            "month,weekday,hour,gross,credits,net,invoices_and_unnamed_sales,units,currency");
  EXPECT_EQ(hours.at(1), "2024-01,1,10,10.5000,0.0000,10.5000,1,2.0000,GBP");  // A Monday.
  const std::vector<std::string> products = by("product");
  EXPECT_EQ(products.at(0), "month,stock_code,description,gross,credits,net,units,lines,currency");
  EXPECT_EQ(products.at(1), "2024-01,A,\"Mug, red\",10.5000,0.0000,10.5000,2.0000,1,GBP");
  EXPECT_EQ(run(add_export_command, {"export", "sales", "--by", "week", "--state", state_}).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(ExportTables, TransitionsAreCountedByDay) {
  const std::vector<std::string> lines = exported("transitions");
  EXPECT_EQ(lines.at(0), "date,segmentation,from,to,reason,actionable,moves,monetary,currency");
  EXPECT_TRUE(std::ranges::any_of(lines, [](const std::string& line) {
    return line.starts_with("2024-01-01,rfm,none,New,purchase,") &&
           line.ends_with(",1,10.5000,GBP");
  }));
  const std::string path = directory_.file("by_day.csv");
  quietly(add_export_command,
          {"export", "segments", "--by-day", "--state", state_, "--output", path});
  const std::vector<std::string> days = read_lines(path);
  EXPECT_EQ(days.at(0), "date,segmentation,segment,customers,monetary,currency");
  EXPECT_TRUE(std::ranges::any_of(
      days, [](const std::string& line) { return line == "2024-01-01,rfm,New,1,10.5000,GBP"; }));
}

TEST_F(ExportTables, AnSqliteFileThatCannotBeMadeIsRefused) {
  EXPECT_EQ(run(add_export_command, {"export", "sqlite", "--state", state_}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(
      run(add_export_command, {"export", "sqlite", "--state", state_, "--output", "-"}).code(),
      absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(run(add_export_command, {"export", "sqlite", "--state", state_, "--output",
                                     directory_.file("no/such/place")})
                .code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(ExportTables, WhatIsEmptyInTheCsvIsNullInSqlite) {
  const std::string path = directory_.file("shop.sqlite");
  quietly(add_export_command, {"export", "sqlite", "--state", state_, "--output", path, "--all"});
  EXPECT_EQ(queried(path,
                    "SELECT segment, action FROM segments WHERE action IS NULL AND rank = 0 "
                    "AND segmentation = 'rfm'"),
            (std::vector<std::string>{"none|NULL"}));
  EXPECT_EQ(queried(path, "SELECT COUNT(*) FROM segments WHERE action = ''"),
            (std::vector<std::string>{"0"}));
}

TEST_F(ExportTables, ASegmentationNamedAsAColumnHasOneOfItsOwn) {
  const std::string state = directory_.file("named");
  std::vector<std::string> replay = {"replay",  "--input",    input_,    "--format", "csv",
                                     "--until", "2024-02-21", "--state", state};
  for (const char* const name : {"frequency", "action"}) {
    replay.insert(replay.end(), {"--set", fmt::format("segmentation.{}.preset=rfm", name)});
  }
  quietly(add_replay_command, replay);
  const std::string path = directory_.file("shop.sqlite");
  quietly(add_export_command, {"export", "sqlite", "--state", state, "--output", path});
  EXPECT_EQ(queried(path,
                    "SELECT frequency, frequency_segment, action_segment = rfm FROM "
                    "customers WHERE customer_id = 'a'"),
            (std::vector<std::string>{"1|Promising|1"}));
  const std::string place = directory_.file("powerbi");
  quietly(add_export_command,
          {"export", "--for", "powerbi", "--state", state, "--input", input_, "--output", place});
  EXPECT_EQ(read_lines(place + "/customer_segments.csv").at(0),
            "CustomerID,Country,Recency,Frequency,Monetary,ChurnRisk,action,churn,cluster,"
            "frequency_segment,rfm");
}

TEST_F(ExportTables, NothingIsLeftOfOneThatIsInterrupted) {
  const StopSignal stop;
  ASSERT_EQ(std::raise(SIGINT), 0);
  for (const char* const table : {"customers", "segments", "sales", "sqlite"}) {
    const std::string path = directory_.file("interrupted");
    EXPECT_TRUE(absl::IsCancelled(
        run(add_export_command, {"export", table, "--state", state_, "--output", path})))
        << table;
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_FALSE(std::filesystem::exists(path + ".part"));
  }
}

TEST_F(ExportTables, AnOptionBeforeTheTableIsRefused) {
  const absl::Status status = run(add_export_command, {"export", "--set", "kafka.brokers=x:9092",
                                                       "customers", "--state", state_});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("behind the table: export customers --set"), std::string::npos)
      << status;
}

TEST_F(ExportTables, WhatIsNotCountedApartIsNoProduct) {
  const std::string state = directory_.file("apart");
  quietly(add_replay_command, {"replay", "--input", input_, "--format", "csv", "--until",
                               "2024-02-21", "--state", state, "--set", "sales.products_max=1"});
  const std::string path = directory_.file("report.html");
  quietly(add_report_command, {"report", "--state", state, "--output", path});
  std::string html;
  for (const std::string& line : read_lines(path)) html += line + "\n";
  EXPECT_NE(html.find("Of 1 product counted apart A (Mug, red) brings most: 15.75 GBP."),
            std::string::npos);
  EXPECT_NE(html.find("(other)"), std::string::npos);
}

TEST_F(ExportTables, PowerBiGetsCustomersAndLines) {
  const std::string place = directory_.file("powerbi");
  quietly(add_export_command,
          {"export", "--for", "powerbi", "--state", state_, "--input", input_, "--output", place});
  const std::vector<std::string> customers = read_lines(place + "/customer_segments.csv");
  ASSERT_EQ(customers.size(), 3U);
  EXPECT_EQ(customers[0],
            "CustomerID,Country,Recency,Frequency,Monetary,ChurnRisk,churn,cluster,rfm");
  EXPECT_EQ(customers[1], "a,\"Korea, South\",49.583333,1,2.2500,,Unassigned,Unassigned,Promising");
  const std::vector<std::string> sales = read_lines(place + "/df_sales.csv");
  ASSERT_EQ(sales.size(), 7U);
  EXPECT_EQ(sales[0],
            "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country,"
            "Sales");
  EXPECT_EQ(sales[1], "1,A,\"Mug, red\",2,2024-01-01 10:00:00,5.25,b,France,10.5000");
  EXPECT_EQ(sales[4], "C4,A,\"Mug, red\",-1,2024-02-12 10:00:00,5.25,b,France,-5.2500");
  EXPECT_EQ(sales[6], "6,A,\"Mug, red\",3,2024-02-13 11:00:00,5.25,,Spain,15.7500");
  EXPECT_EQ(notes_.find("another record"), std::string::npos) << notes_;
  const std::string other = directory_.file("other.csv");
  std::string rows(kCsv);
  std::ofstream(other) << rows.replace(rows.find("2,2024"), 6, "9,2024");
  quietly(add_export_command,
          {"export", "--for", "powerbi", "--state", state_, "--input", other, "--output", place});
  EXPECT_NE(notes_.find("begins with another record"), std::string::npos) << notes_;
}

TEST_F(ExportTables, SayWhatIsWrong) {
  const std::string place = directory_.file("new");
  EXPECT_EQ(run(add_export_command, {"export", "--for", "powerbi", "--state", state_, "--input",
                                     directory_.file("none.csv"), "--output", place})
                .code(),
            absl::StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(place));
  const std::string missing = directory_.file("no/such/place.csv");
  const absl::Status unwritten =
      run(add_export_command, {"export", "customers", "--state", state_, "--output", missing});
  EXPECT_NE(unwritten.message().find("no/such/place.csv cannot be written: No such file"),
            std::string::npos)
      << unwritten;
  const absl::Status unknown = run(add_export_command, {"export", "foo", "--state", state_});
  EXPECT_NE(unknown.message().find("foo is no table; allowed: customers, segments"),
            std::string::npos)
      << unknown;
}

TEST_F(ExportTables, NeedATableOrAPurpose) {
  EXPECT_EQ(run(add_export_command, {"export"}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(run(add_export_command, {"export", "--for", "excel"}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(run(add_export_command, {"export", "--for", "powerbi", "--state", state_}).code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace rfm
