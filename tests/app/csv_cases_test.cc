// Goal: sheets as people have them give the right customers by `replay`, and the same ones by
// `import`, as lines and as invoices, and a replay of what that wrote.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "stream/app/export_command.h"
#include "stream/app/import_command.h"
#include "stream/app/replay_command.h"
#include "stream/decode/csv_split.h"
#include "tests/app/command_line.h"

namespace rfm {
namespace {

constexpr std::string_view kHeader =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";
// One invoice of 15.30 on 2010-12-01 at 08:26.
constexpr std::string_view kSale = "17850|United Kingdom|2010-12-01T08:26:00.000Z|1|15.3000";

using Texts = std::vector<std::string>;

Texts with_settings(Texts arguments, const Texts& settings) {
  for (const std::string& setting : settings) arguments.insert(arguments.end(), {"--set", setting});
  return arguments;
}

std::string said_by(AddCommand add, Texts arguments, absl::Status& status) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  status = run_command(add, std::move(arguments));
  testing::internal::GetCapturedStdout();
  return testing::internal::GetCapturedStderr();
}

// Each customer of a state directory as "id|country|last purchase|frequency|monetary".
Texts customers_of(const TestDirectory& directory) {
  absl::Status status;
  said_by(add_export_command,
          {"export", "customers", "--all", "--state", directory.file("state"), "--output",
           directory.file("customers.csv")},
          status);
  EXPECT_TRUE(status.ok()) << status;
  Texts customers;
  for (const std::string& line : read_lines(directory.file("customers.csv"))) {
    std::string scratch(line.size(), '\0');
    CsvColumns columns(line, ',', scratch.data());
    std::string customer;
    std::string_view column;
    for (int i = 0; i < 7 && columns.next(column) == CsvColumns::Next::kColumn; ++i) {
      if (i == 2 || i == 4) continue;
      customer.append(i == 0 ? "" : "|").append(column);
    }
    customers.push_back(customer);
  }
  if (!customers.empty()) customers.erase(customers.begin());
  return customers;
}

struct Outcome {
  absl::Status status;
  std::string said;  // On standard error.
  Texts customers;
};

Outcome replayed(std::string_view content, const std::string& format, const Texts& settings) {
  const TestDirectory directory;
  std::ofstream(directory.file("in"), std::ios::binary) << content;
  Outcome outcome;
  outcome.said = said_by(add_replay_command,
                         with_settings({"replay", "--input", directory.file("in"), "--format",
                                        format, "--state", directory.file("state")},
                                       settings),
                         outcome.status);
  if (outcome.status.ok()) outcome.customers = customers_of(directory);
  return outcome;
}

// What `import` wrote is in `content`.
struct Imported {
  absl::Status status;
  std::string said;
  std::string content;
};

Imported imported(std::string_view content, const std::string& as, const Texts& settings) {
  const TestDirectory directory;
  std::ofstream(directory.file("in"), std::ios::binary) << content;
  Imported result;
  result.said = said_by(
      add_import_command,
      with_settings({"import", directory.file("in"), "--as", as, "-o", directory.file("out")},
                    settings),
      result.status);
  result.content = read_file(directory.file("out"));
  return result;
}

enum class Rows : std::uint8_t { kLines, kOrders };

// The customers that all ways agree on; what they say about the file agrees as well.
Texts customers(std::string_view content, const Texts& settings = {}, Rows rows = Rows::kLines) {
  const Outcome direct = replayed(content, "csv", settings);
  EXPECT_TRUE(direct.status.ok()) << direct.status;
  for (const std::string as : {"lines", "invoices"}) {
    if (rows == Rows::kOrders && as == "lines") continue;
    const Imported written = imported(content, as, settings);
    const bool is_whole = direct.said.find("dead letters:") == std::string::npos;
    EXPECT_EQ(written.status.ok(), is_whole) << written.status;
    EXPECT_EQ(replayed(written.content, as, {}).customers, direct.customers) << as;
    const std::size_t found = written.said.find("columns split at");
    EXPECT_EQ(written.said.substr(found, written.said.find('\n', found) - found),
              direct.said.substr(direct.said.find("columns split at"),
                                 written.said.find('\n', found) - found));
  }
  return direct.customers;
}

// Both `replay` and `import` refuse it, and say `what`.
void expect_refused(std::string_view content, const Texts& settings, std::string_view what) {
  const Outcome direct = replayed(content, "csv", settings);
  EXPECT_FALSE(direct.status.ok()) << content;
  EXPECT_NE((direct.said + std::string(direct.status.message())).find(what), std::string::npos)
      << direct.said << direct.status;
  for (const std::string as : {"lines", "invoices"}) {
    const Imported written = imported(content, as, settings);
    EXPECT_FALSE(written.status.ok()) << content;
    EXPECT_EQ(written.content, "");
    EXPECT_NE((written.said + std::string(written.status.message())).find(what), std::string::npos)
        << written.said << written.status;
  }
}

TEST(CsvCases, ColumnsAreFoundByName) {
  const Texts sale = {std::string(kSale)};
  EXPECT_EQ(customers("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,"
                      "Country,TotalPrice\n"
                      "536365,a,x,6,2010-12-01 08:26:00,2.55,17850,United Kingdom,15.3\n"),
            sale);
  EXPECT_EQ(customers("Country,CustomerID,UnitPrice,InvoiceDate,Quantity,InvoiceNo\r\n"
                      "United Kingdom,17850,2.55,2010-12-01 08:26:00,6,536365\r\n"),
            sale);
  EXPECT_EQ(customers("\xef\xbb\xbfInvoiceNo, StockCode, Quantity, InvoiceDate, UnitPrice, "
                      "CustomerID, Country\n"
                      "536365, \"a, b\", 6, 2010-12-01 08:26:00, 2.55, 17850, United Kingdom\n"),
            sale);
  EXPECT_EQ(customers("\"\",Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,"
                      "Country,,,\n"
                      "0,536365,a,WHITE,6,12/1/2010 8:26,2.55,17850.0,United Kingdom,,,\n"),
            sale);
  EXPECT_EQ(customers("sep=;\nBelegnr;Kunde;Datum;Menge;Einzelpreis;Country\n"
                      "536365;17850;2010-12-01 08:26;6;2.55;United Kingdom\n",
                      {"input.columns.invoice_no=Belegnr", "input.columns.customer_id=kunde",
                       "input.columns.invoice_time=Datum", "input.columns.quantity=Menge",
                       "input.columns.unit_price=Einzelpreis"}),
            sale);
}

TEST(CsvCases, ShortRowsHaveNoCountry) {
  EXPECT_EQ(
      customers(std::string(kHeader) + "1,a,x,1,2024-01-01 10:00:00,10,c1,UK,\n"
                                       "2,a,x,1,2024-01-01 10:10:00,10,c2\n"
                                       "3,a,x,1,2024-01-01 10:20:00,10,c3,UK\n"),
      (Texts{"c1|UK|2024-01-01T10:00:00.000Z|1|10.0000", "c2||2024-01-01T10:10:00.000Z|1|10.0000",
             "c3|UK|2024-01-01T10:20:00.000Z|1|10.0000"}));
}

TEST(CsvCases, MoneyThatCannotBeReadIsNamed) {
  const std::string sheet = std::string(kHeader) +
                            "1,a,x,\"1,200\",2024-01-01 10:00:00,10,c1,UK\n"
                            "2,a,x,2,2024-01-01 11:00:00,$5,c2,UK\n"
                            "3,a,x,2,2024-01-01 11:00:00,,c3,UK\n";
  expect_refused(sheet, {}, "row 1: Quantity: \"1,200\" is not a decimal number");
  expect_refused(sheet, {}, "row 2: UnitPrice: \"$5\" is not a decimal number");
  expect_refused(sheet, {}, "1 missing_field: row 3: UnitPrice: missing");
  EXPECT_EQ(customers(sheet, {"input.thousands=comma"}),
            Texts{"c1|UK|2024-01-01T10:00:00.000Z|1|12000.0000"});
}

TEST(CsvCases, AStrayQuoteBeforeTheFirstGoodRowCostsOneRow) {
  const std::string content =
      "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
      "536364,A,B,1,2010-12-01 08:26,(2.55),17850,United Kingdom\n"
      "536364,A,\"B,1,2010-12-01 08:26,2.55,17850,United Kingdom\n"
      "536365,A,B,6,2010-12-01 08:26,2.55,17850,United Kingdom\n";
  EXPECT_EQ(customers(content), Texts{std::string(kSale)});
}

TEST(CsvCases, OtherEncodingsAreReadOrNamed) {
  const std::string sheet = std::string(kHeader) +
                            "536365,a,\xa3"
                            "5 GIFT,6,12/1/2010 8:26,2.55,17850,R\xe9union\n";
  expect_refused(sheet, {}, "is not UTF-8; is the file in cp1252 or latin-1 (input.encoding)?");
  for (const std::string encoding : {"cp1252", "latin-1"}) {
    EXPECT_EQ(customers(sheet, {"input.encoding=" + encoding}),
              Texts{"17850|R\u00e9union|2010-12-01T08:26:00.000Z|1|15.3000"});
  }
}

TEST(CsvCases, SpellingsOfOneIdAreOneCustomerOrNamed) {
  std::string sheet(kHeader);
  int minute = 10;
  for (const std::string_view id :
       {" 17850 ", "17850", "17850.0", "17850.00", "\"17,850\"", "1.785E+04", "017850"}) {
    sheet += std::to_string(minute) + ",a,x,1,2024-01-01 10:" + std::to_string(minute) + ":00,10," +
             std::string(id) + ",UK\n";
    ++minute;
  }
  EXPECT_EQ(customers(sheet), (Texts{"017850|UK|2024-01-01T10:16:00.000Z|1|10.0000",
                                     "1.785E+04|UK|2024-01-01T10:15:00.000Z|1|10.0000",
                                     "17,850|UK|2024-01-01T10:14:00.000Z|1|10.0000",
                                     "17850|UK|2024-01-01T10:13:00.000Z|4|40.0000"}));
  constexpr std::string_view kNote =
      "note: 3 customer ids differ from another only in form and stand for another customer: "
      "\"17,850\" beside \"17850\"";
  EXPECT_NE(replayed(sheet, "csv", {}).said.find(kNote), std::string::npos);
  EXPECT_NE(imported(sheet, "lines", {}).said.find(kNote), std::string::npos);
}

TEST(CsvCases, DatesAreReadInTheOrderThatIsSet) {
  std::string sheet(kHeader);
  for (const std::string day : {"01", "02", "03", "13"})
    sheet += day + ",a,x,1," + day + "/12/2010 08:26,10,c1,UK\n";
  expect_refused(sheet, {}, "row 4: InvoiceDate: \"13/12/2010 08:26\"");
  expect_refused(sheet, {}, "set input.date_order");
  EXPECT_EQ(customers(sheet, {"input.date_order=dmy"}),
            Texts{"c1|UK|2010-12-13T08:26:00.000Z|4|40.0000"});
  // One that is set is believed: such a date is one bad row.
  EXPECT_EQ(customers(sheet, {"input.date_order=mdy"}),
            Texts{"c1|UK|2010-03-12T08:26:00.000Z|3|30.0000"});
  EXPECT_EQ(
      customers(std::string(kHeader) + "536365,a,x,6,12/1/10 8:26,2.55,17850,United Kingdom\n"),
      Texts{std::string(kSale)});
  expect_refused(std::string(kHeader) + "536365,a,x,6,40513.35139,2.55,17850,United Kingdom\n", {},
                 "\"40513.35139\" is not a time but an Excel serial date number");
}

TEST(CsvCases, SemicolonsWithDecimalCommas) {
  const std::string sheet =
      "InvoiceNo;StockCode;Description;Quantity;InvoiceDate;UnitPrice;CustomerID;Country\n"
      "536365;85123A;WHITE;6;01.12.2010 08:26;2,55;17850;United Kingdom\n";
  expect_refused(sheet, {}, "set input.date_order");
  expect_refused(sheet, {"input.date_order=dmy"}, "input.decimal");
  EXPECT_EQ(customers(sheet, {"input.date_order=dmy", "input.decimal=comma"}),
            Texts{std::string(kSale)});
  EXPECT_EQ(customers(sheet,
                      {"input.date_order=dmy", "input.decimal=comma", "input.separator=semicolon"}),
            Texts{std::string(kSale)});
  expect_refused(sheet, {"input.separator=tab"}, "names none of the columns");
}

TEST(CsvCases, EitherCaseMarksACancellation) {
  EXPECT_EQ(
      customers(std::string(kHeader) + "536365,85123A,x,6,2010-12-01 08:26:00,2.55,17850,UK\n"
                                       "c536366,85123A,x,-6,2010-12-02 08:26:00,2.55,17850,UK\n"
                                       "C536367,85123A,x,-2,2010-12-02 09:26:00,2.55,99999,UK\n"),
      (Texts{"17850|UK|2010-12-01T08:26:00.000Z|1|0.0000", "99999|UK||0|-5.1000"}));
  EXPECT_EQ(
      customers(std::string(kHeader) + "c536366,85123A,x,6,2010-12-02 08:26:00,2.55,17850,UK\n"),
      Texts{"17850|UK||0|-15.3000"});
}

TEST(CsvCases, RowsThatAreWholeOrders) {
  constexpr std::string_view kSheet =
      "order_id,customer_id,order_date,revenue\n1,c1,2024-01-01,12.50\n2,c1,2024-01-03,-2.50\n";
  expect_refused(kSheet, {}, "has no column for invoice_no");
  EXPECT_EQ(customers(kSheet,
                      {"input.columns.invoice_no=order_id", "input.columns.invoice_time=order_date",
                       "input.columns.total=revenue"},
                      Rows::kOrders),
            Texts{"c1||2024-01-01T00:00:00.000Z|1|10.0000"});
}

// A sheet none of whose rows can be used is told by its first line, so that what is said of it is
// what `--format csv` says; what begins like JSON is no sheet.
TEST(CsvCases, ASheetWithoutAUsableRowIsToldByItsFirstLine) {
  const TestDirectory directory;
  const std::string path = directory.file("sheet");
  const auto said_of = [&](const std::string& content, const Texts& more, absl::Status& status) {
    std::ofstream(path, std::ios::binary) << content;
    Texts arguments = {"replay", "--input", path};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return said_by(add_replay_command, arguments, status);
  };
  const std::string header(kHeader);
  for (const std::string& sheet :
       Texts{header + "1,a,x,\"1,200\",2024-01-01 10:00:00,10,c1,UK\n",
             header + "536365,85123A,WHITE,6,40513.35139,2.55,17850,United Kingdom\n",
             header + "536365,85123A,\xa3 5 GIFT,6,12/1/2010 8:26,2.55,17850,R\xe9union\n",
             "InvoiceNo;Quantity;InvoiceDate;UnitPrice;CustomerID\n1;6;01.12.2010 08:26;2,55;7\n",
             "order_id,customer_id,order_date,revenue\n1,c1,2024-01-01,12.50\n",
             "order_id\tcustomer_id\n1\tc1\n", "order_id|customer_id\n", "\xef\xbb\xbf" + header,
             "sep=,\n" + header + "1,a,x,1,soon,10,c1,UK\n"}) {
    SCOPED_TRACE(sheet);
    absl::Status told;
    absl::Status given;
    EXPECT_NE(said_of(sheet, {}, told).find("read as csv"), std::string::npos);
    EXPECT_EQ(said_of(sheet, {"--format", "csv"}, given).find("read as"), std::string::npos);
    EXPECT_EQ(told, given);
  }
  for (const std::string& other :
       Texts{R"({"type": "order", "id": 1})", "[1, 2]\n", "nothing\n", "{broken, json\n"}) {
    absl::Status status;
    EXPECT_EQ(said_of(other, {}, status).find("read as"), std::string::npos) << other;
  }
}

TEST(CsvCases, OrderAndRepetitionAreSaid) {
  const std::string sheet = std::string(kHeader) +
                            "1,a,x,1,2024-01-02 10:00:00,10,c1,UK\n"
                            "1,a,x,1,2024-01-02 10:00:00,10,c1,UK\n"
                            "2,a,x,1,2024-01-01 10:00:00,10,c2,UK\n";
  EXPECT_EQ(customers(sheet), (Texts{"c1|UK|2024-01-02T10:00:00.000Z|1|20.0000",
                                     "c2|UK|2024-01-01T10:00:00.000Z|1|10.0000"}));
  for (const std::string& said :
       {replayed(sheet, "csv", {}).said, imported(sheet, "invoices", {}).said}) {
    EXPECT_NE(said.find("note: 1 row goes back in time, first row 3, 2024-01-01T10:00:00.000Z"),
              std::string::npos)
        << said;
    EXPECT_NE(said.find("note: 1 row is byte for byte as one before, first row 2"),
              std::string::npos)
        << said;
  }
}

}  // namespace
}  // namespace rfm
