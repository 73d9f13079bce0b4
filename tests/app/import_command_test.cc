// Goal: nothing of a CSV is lost or changed on its way into events.
#include "stream/app/import_command.h"

#include <gtest/gtest.h>

#include "stream/app/uci_conversion.h"
#include "tests/app/command_line.h"

namespace rfm {
namespace {

constexpr std::string_view kSample =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    "536365,85123A,\"HOLDER, WHITE\",6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n"
    "536366,71053,\"6\"\" PLATE\",1,2010-12-01 08:26:00,3.39,13047,France\n"
    "536365,71053,LANTERN,2,2010-12-01 08:27:00,3.39,17850.0,United Kingdom\n"
    "C536379,D,Discount,-1,2010-12-01 09:41:00,27.50,14527.0,United Kingdom\n"
    "536414,22139,,56,2010-12-01 11:52:00,0.0,,United Kingdom\n"
    "A563185,B,Adjust bad debt,1,2011-08-12 14:50:00,11062.06,,United Kingdom\n";

absl::Status import(const TestDirectory& directory, std::string_view csv,
                    std::vector<std::string> arguments) {
  const std::string path = directory.file("in.csv");
  std::ofstream(path, std::ios::binary) << csv;
  arguments.insert(arguments.begin(), {"import", path, "-o", directory.file("out")});
  return run_command(add_import_command, std::move(arguments));
}

std::vector<std::string> imported(std::vector<std::string> arguments) {
  const TestDirectory directory;
  const absl::Status status = import(directory, kSample, std::move(arguments));
  EXPECT_TRUE(status.ok()) << status;
  return read_lines(directory.file("out"));
}

TEST(ImportCommand, WritesRowsAsLineEventsInTheirOrder) {
  const std::vector<std::string> lines = imported({});
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(
      lines[0],
      R"({"InvoiceNo":"536365","StockCode":"85123A","Description":"HOLDER, WHITE","Quantity":6,)"
      R"("InvoiceDate":"2010-12-01 08:26:00","UnitPrice":2.55,"CustomerID":"17850",)"
      R"("Country":"United Kingdom"})");
  EXPECT_NE(lines[1].find(R"("Description":"6\" PLATE")"), std::string::npos);
  EXPECT_NE(lines[3].find(R"("InvoiceNo":"C536379")"), std::string::npos);
  EXPECT_NE(lines[3].find(R"("Quantity":-1)"), std::string::npos);
  EXPECT_EQ(lines[4].find("CustomerID"), std::string::npos);
}

TEST(ImportCommand, GathersInvoicesAsOfTheirLastLine) {
  const std::vector<std::string> invoices = imported({"--as", "invoices"});
  ASSERT_EQ(invoices.size(), 4U);  // The adjustment is left out.
  EXPECT_NE(invoices[0].find("536366"), std::string::npos);
  EXPECT_EQ(
      invoices[1],
      R"({"type":"invoice","invoice_no":"536365","customer_id":"17850",)"
      R"("invoice_time":"2010-12-01T08:27:00.000Z",)"
      R"("currency":"GBP","country":"United Kingdom","lines":[)"
      R"({"stock_code":"85123A","description":"HOLDER, WHITE","quantity":6,"unit_price":2.55},)"
      R"({"stock_code":"71053","description":"LANTERN","quantity":2,"unit_price":3.39}]})");
  EXPECT_NE(invoices[2].find(R"("type":"credit","invoice_no":"C536379")"), std::string::npos);
  EXPECT_EQ(invoices[2].find("original"), std::string::npos);
  EXPECT_EQ(invoices[3].find("customer_id"), std::string::npos);
}

TEST(ImportCommand, CopiesAreMergedInTimeOrder) {
  const std::vector<std::string> lines = imported({"--copies", "3"});
  ASSERT_EQ(lines.size(), 18U);
  EXPECT_NE(lines[0].find(R"("InvoiceNo":"536365-1")"), std::string::npos);
  EXPECT_NE(lines[2].find(R"("CustomerID":"17850-3")"), std::string::npos);
  EXPECT_NE(lines[3].find(R"("InvoiceNo":"536366-1")"), std::string::npos);
  EXPECT_EQ(lines[12].find("CustomerID"), std::string::npos);
  const std::vector<std::string> invoices = imported({"--copies", "2", "--as", "invoices"});
  ASSERT_EQ(invoices.size(), 8U);
  EXPECT_NE(invoices[2].find(R"("invoice_no":"536365-1","customer_id":"17850-1")"),
            std::string::npos);
}

TEST(ImportCommand, KeepsWhatIsThereUntilAllIsWritten) {
  const TestDirectory directory;
  std::ofstream(directory.file("out")) << "precious\n";
  EXPECT_FALSE(import(directory, std::string(kSample) + "1,2\n", {}).ok());
  EXPECT_EQ(read_lines(directory.file("out")), std::vector<std::string>{"precious"});
  EXPECT_FALSE(std::filesystem::exists(directory.file("out.part")));
  const std::string path = directory.file("in.csv");
  const absl::Status itself = run_command(add_import_command, {"import", path, "-o", path});
  EXPECT_EQ(itself.code(), absl::StatusCode::kInvalidArgument) << itself;
}

TEST(ImportCommand, WhatIsNotUtf8IsReplacedOrRefused) {
  const TestDirectory directory;
  const std::string header(kSample.substr(0, kSample.find('\n') + 1));
  ASSERT_TRUE(import(directory,
                     header + "1,A,B,1,2010-12-01 08:26:00,1,5,Cura\xe7"
                              "ao\n",
                     {})
                  .ok());
  EXPECT_NE(read_file(directory.file("out"))
                .find("\"Cura\xef\xbf\xbd"
                      "ao\""),
            std::string::npos);
  const absl::Status id =
      import(directory, header + "1,A,B,1,2010-12-01 08:26:00,1,\xe7,France\n", {});
  EXPECT_EQ(id.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(id.message().find("not UTF-8"), std::string::npos) << id;
}

// `A` and digits is an adjustment, as it is to the decoder; an invoice may begin with A.
TEST(ImportCommand, LeavesOutAdjustmentsOnly) {
  const TestDirectory directory;
  const std::string header(kSample.substr(0, kSample.find('\n') + 1));
  const std::string rows =
      "AB12,A,B,1,2010-12-01 08:26:00,1,5,France\nA12,A,B,1,2010-12-01 08:26:00,1,,France\n";
  ASSERT_TRUE(import(directory, header + rows, {"--as", "invoices"}).ok());
  const std::vector<std::string> invoices = read_lines(directory.file("out"));
  ASSERT_EQ(invoices.size(), 1U);
  EXPECT_NE(invoices[0].find("AB12"), std::string::npos);
}

TEST(ImportCommand, NamesTheRowThatIsWrong) {
  const TestDirectory directory;
  const absl::Status status = import(directory, std::string(kSample) + "1,2,3\n", {});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(std::string(status.message()).find("row 7 after the header: 3 columns, 8 expected"),
            std::string::npos)
      << status;
  EXPECT_FALSE(import(directory, "a,b\n1,2\n", {}).ok());
  EXPECT_FALSE(
      import(directory, std::string(kSample) + "1,2,3,4,soon,6,7,8\n", {"--as", "invoices"}).ok());
  EXPECT_FALSE(run_command(add_import_command, {"import", directory.file("missing.csv")}).ok());
}

TEST(UciConversion, ReadsQuotesAndNumbers) {
  const auto read = [](std::string_view text) { return read_uci_row(text); };
  EXPECT_EQ(read("1,2,\"a,\"\"b\"\"\",4,5,6,7.0,8\r\n")->description, "a,\"b\"");
  EXPECT_EQ(read("1,2,3,4,5,6,7.0,8")->customer_id, "7");
  EXPECT_EQ(read("1,2,3,4,5,6,7.50,8")->customer_id, "7.50");
  EXPECT_EQ(read("1,2,3,4,5,6,.0,8")->customer_id, ".0");
  EXPECT_EQ(read("1,2,3,4,5,6,7,")->country, "");
  for (const std::string_view wrong : {"1,2,3,4,5,6,7", "1,2,3,4,5,6,7,8,9", "1,2,3,4,5,6,7,8,",
                                       "1,2,\"3,4,5,6,7,8", "1,2,\"3\"x,4,5,6,7,8", ""}) {
    EXPECT_FALSE(read(wrong).ok()) << wrong;
  }
}

TEST(UciConversion, KeepsNumbersAsWritten) {
  UciRow row;
  row.quantity = "007";
  row.unit_price = "1.500";
  EXPECT_NE(line_event(row).find(R"("Quantity":"007")"), std::string::npos);
  EXPECT_NE(line_event(row).find(R"("UnitPrice":1.500)"), std::string::npos);
  row.unit_price = "1e3";
  EXPECT_NE(line_event(row).find(R"("UnitPrice":"1e3")"), std::string::npos);
}

TEST(UciConversion, WritesTextThatIsNotUtf8AsJson) {
  const absl::StatusOr<UciRow> row =
      read_uci_row("1,85123A,caf\xe9 \xc3\xa9,6,2010-12-01 08:26:00,2.55,17850,France");
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_NE(line_event(*row).find("\"Description\":\"caf\xef\xbf\xbd \xc3\xa9\""),
            std::string::npos)
      << line_event(*row);
}

}  // namespace
}  // namespace rfm
