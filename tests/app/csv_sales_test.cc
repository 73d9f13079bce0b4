// Goal: what is told of a sheet beside its state (Power BI's rows, the report's quantities, the
// events of `import`) is told of the same customers, with the same signs and of the same rows.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "stream/app/export_command.h"
#include "stream/app/import_command.h"
#include "stream/app/replay_command.h"
#include "stream/app/report_command.h"
#include "tests/app/command_line.h"

namespace rfm {
namespace {

using Texts = std::vector<std::string>;

constexpr std::string_view kHeader =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";
constexpr std::string_view kOrders =
    "no,who,invoice_time,type,total\n"
    "1,c,2024-01-01,invoice,50\n"
    "2,c,2024-01-02,credit,20\n"
    "3,,2024-01-03,credit,20\n";
const Texts kOrderColumns = {"input.columns.invoice_no=no", "input.columns.customer_id=who"};

class CsvSales : public testing::Test {
 protected:
  void write(std::string_view sheet) { std::ofstream(input_, std::ios::binary) << sheet; }

  absl::Status run(AddCommand add, Texts arguments, const Texts& settings) {
    for (const std::string& setting : settings)
      arguments.insert(arguments.end(), {"--set", setting});
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    absl::Status status = run_command(add, std::move(arguments));
    testing::internal::GetCapturedStdout();
    notes_ = testing::internal::GetCapturedStderr();
    return status;
  }

  void replay(const Texts& settings, const Texts& more = {}) {
    Texts arguments = {"replay", "--input", input_, "--format", "csv", "--state", state_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const absl::Status status = run(add_replay_command, arguments, settings);
    ASSERT_TRUE(status.ok()) << status;
  }

  absl::Status export_for_powerbi(const Texts& settings = {}) {
    return run(add_export_command,
               {"export", "--for", "powerbi", "--state", state_, "--input", input_, "--output",
                directory_.file("powerbi")},
               settings);
  }

  // The rows of df_sales.csv, without their header.
  Texts sold(const Texts& settings = {}) {
    const absl::Status status = export_for_powerbi(settings);
    EXPECT_TRUE(status.ok()) << status;
    Texts rows = read_lines(directory_.file("powerbi/df_sales.csv"));
    if (!rows.empty()) rows.erase(rows.begin());
    return rows;
  }

  // `net` and `units` of the state's days, "date|net|units".
  Texts days() {
    const std::string path = directory_.file("days.csv");
    const absl::Status status =
        run(add_export_command, {"export", "sales", "--state", state_, "--output", path}, Texts{});
    EXPECT_TRUE(status.ok()) << status;
    Texts days;
    for (const std::string& line : read_lines(path)) {
      Texts cells;
      std::istringstream in(line);
      for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
      days.push_back(cells.at(0) + '|' + cells.at(5) + '|' + cells.at(9));
    }
    if (!days.empty()) days.erase(days.begin());
    return days;
  }

  Texts imported(const std::string& as, const Texts& settings) {
    const std::string path = directory_.file("events");
    const absl::Status status =
        run(add_import_command, {"import", input_, "--as", as, "-o", path}, settings);
    EXPECT_TRUE(status.ok()) << status;
    return read_lines(path);
  }

  // The report's table of the best customers by quantity, its cells one after the other.
  Texts best_by_units(const Texts& settings) {
    const std::string path = directory_.file("report.html");
    const absl::Status status =
        run(add_report_command, {"report", "--input", input_, "--format", "csv", "--output", path},
            settings);
    EXPECT_TRUE(status.ok()) << status;
    const std::string page = read_file(path);
    std::size_t at = page.find("<tbody>", page.find("By quantity"));
    const std::size_t end = page.find("</table>", at);
    Texts cells;
    while (at < end) {  // Between two tags: a cell, or nothing.
      at = page.find('>', at) + 1;
      const std::string text = page.substr(at, page.find('<', at) - at);
      if (text.find_first_not_of('\n') != std::string::npos) cells.push_back(text);
      at += text.size();
    }
    return cells;
  }

  TestDirectory directory_;
  std::string input_ = directory_.file("sheet.csv");
  std::string state_ = directory_.file("state");
  std::string notes_;
};

TEST_F(CsvSales, AnIdThatMeansNobodyIsNoCustomer) {
  write(std::string(kHeader) +
        "1,A,Mug,9,2024-01-01 10:00:00,1,nan,UK\n"
        "2,A,Mug,3,2024-01-02 10:00:00,1,b,UK\n"
        "A3,B,Adjust bad debt,1,2024-01-02 10:00:00,1,nan,UK\n");
  const Texts settings = {"input.anonymous=nan"};
  replay(settings);
  EXPECT_EQ(sold(settings), (Texts{"1,A,Mug,9,2024-01-01 10:00:00,1,,UK,9.0000",
                                   "2,A,Mug,3,2024-01-02 10:00:00,1,b,UK,3.0000",
                                   "A3,B,Adjust bad debt,1,2024-01-02 10:00:00,1,,UK,0.0000"}));
  for (const std::string as : {"lines", "invoices"}) {
    for (const std::string& event : imported(as, settings))
      EXPECT_EQ(event.find("nan"), std::string::npos) << event;
  }
  EXPECT_EQ(best_by_units(settings), (Texts{"b", "3"}));
}

TEST_F(CsvSales, ARefundOfNobodyIsImportedAsACredit) {
  write(kOrders);
  const Texts events = imported("invoices", kOrderColumns);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[2],
            R"({"type":"credit","invoice_no":"3","invoice_time":"2024-01-03T00:00:00.000Z",)"
            R"("currency":"GBP","total":20})");
}

// A credit takes back what its lines add up to, whichever sign they have; a fee among them is one.
TEST_F(CsvSales, CreditsTakeBackWhateverTheirSign) {
  write(std::string(kHeader) +
        "1,A,Mug,20,2024-01-01 10:00:00,2,a,UK\n"
        "2,A,Mug,30,2024-01-01 11:00:00,2,b,UK\n"
        "C3,A,Mug,6,2024-01-02 10:00:00,2.55,a,UK\n"
        "C4,F,Fee,1,2024-01-03 10:00:00,1,b,UK\n"
        "C4,A,Mug,-6,2024-01-03 10:00:00,2.55,b,UK\n"
        "C5,A,Mug,1.5,2024-01-04 10:00:00,2,,UK\n");
  replay({});
  EXPECT_EQ(sold(), (Texts{"1,A,Mug,20,2024-01-01 10:00:00,2,a,UK,40.0000",
                           "2,A,Mug,30,2024-01-01 11:00:00,2,b,UK,60.0000",
                           "C3,A,Mug,-6,2024-01-02 10:00:00,2.55,a,UK,-15.3000",
                           "C4,F,Fee,1,2024-01-03 10:00:00,1,b,UK,1.0000",
                           "C4,A,Mug,-6,2024-01-03 10:00:00,2.55,b,UK,-15.3000",
                           "C5,A,Mug,-1.5,2024-01-04 10:00:00,2,,UK,-3.0000"}));
  EXPECT_EQ(days(), (Texts{"2024-01-01|100.0000|50.0000", "2024-01-02|-15.3000|-6.0000",
                           "2024-01-03|-14.3000|-5.0000", "2024-01-04|-3.0000|-1.5000"}));
  EXPECT_EQ(best_by_units({}), (Texts{"b", "25", "a", "14"}));
}

TEST_F(CsvSales, CreditsAmongWholeOrdersTakeBack) {
  write(kOrders);
  replay(kOrderColumns);
  EXPECT_EQ(sold(),
            (Texts{"1,,,,2024-01-01 00:00:00,,c,,50.0000", "2,,,,2024-01-02 00:00:00,,c,,-20.0000",
                   "3,,,,2024-01-03 00:00:00,,,,-20.0000"}));
  EXPECT_EQ(days(), (Texts{"2024-01-01|50.0000|0.0000", "2024-01-02|-20.0000|0.0000",
                           "2024-01-03|-20.0000|0.0000"}));
}

TEST_F(CsvSales, TheSheetIsReadAsTheStateWas) {
  write(
      "InvoiceNo;StockCode;Quantity;InvoiceDate;UnitPrice;CustomerID;Country\n"
      "1;A;1.200,5;02/01/2024 10:00;2,5;a;UK\n"
      "2;A;1;03/01/2024 10:00;2,5;guest;UK\n");
  replay({"input.utc_offset=+02:00", "input.date_order=dmy", "input.decimal=comma",
          "input.thousands=point", "input.anonymous=guest"});
  EXPECT_EQ(sold(), (Texts{"1,A,,1200.5,2024-01-02 08:00:00,2.5,a,UK,3001.2500",
                           "2,A,,1,2024-01-03 08:00:00,2.5,,UK,2.5000"}));
}

// Sales of nobody move no clock: the last ones are read, though they are beyond it.
TEST_F(CsvSales, RowsThatTheStateHasNotReadAreLeftOut) {
  const std::string sheet = std::string(kHeader) +
                            "1,A,Mug,1,2024-01-01 10:00:00,1,a,UK\n"
                            "2,A,Mug,3,2024-01-02 10:00:00,1,,UK\n";
  write(sheet);
  const Texts read = {"1,A,Mug,1,2024-01-01 10:00:00,1,a,UK,1.0000",
                      "2,A,Mug,3,2024-01-02 10:00:00,1,,UK,3.0000"};
  replay({});
  EXPECT_EQ(sold(), read);
  EXPECT_EQ(notes_.find("left out"), std::string::npos) << notes_;
  state_ = directory_.file("earlier");
  write(sheet +
        "3,A,Mug,5,2024-01-03 00:00:00,1,a,UK\n"
        "4,A,Mug,5,2024-01-04 10:00:00,1,,UK\n");
  replay({}, {"--until", "2024-01-03"});
  EXPECT_EQ(sold(), read);
  EXPECT_NE(notes_.find("(2 rows) as of 2024-01-03"), std::string::npos) << notes_;
  EXPECT_NE(notes_.find("note: 2 rows of 2024-01-03T00:00:00.000Z or later are left out"),
            std::string::npos)
      << notes_;
}

TEST_F(CsvSales, AnInputThatIsGoneOnceReadIsRefused) {
  write(kOrders);
  replay(kOrderColumns);
  input_ = "-";
  EXPECT_EQ(export_for_powerbi().message(), "- is read twice: it must be a file");
}

}  // namespace
}  // namespace rfm
