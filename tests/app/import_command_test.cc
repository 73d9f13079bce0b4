// Goal: nothing of a CSV is lost or changed on its way into events.
#include "stream/app/import_command.h"

#include <gtest/gtest.h>

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
      R"("InvoiceDate":"2010-12-01T08:26:00Z","UnitPrice":2.55,"CustomerID":"17850",)"
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
  const std::string misread = "1,a,x,1,13/12/2010 08:26,1,5,UK\n";
  EXPECT_EQ(import(directory, std::string(kSample) + misread, {}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(read_lines(directory.file("out")), std::vector<std::string>{"precious"});
  EXPECT_FALSE(std::filesystem::exists(directory.file("out.part")));
  const std::string header(kSample.substr(0, kSample.find('\n') + 1));
  EXPECT_FALSE(import(directory, header + "1,2\n", {}).ok());  // Nothing that could be written.
  EXPECT_EQ(read_lines(directory.file("out")), std::vector<std::string>{"precious"});
  const std::string path = directory.file("in.csv");
  const absl::Status itself = run_command(add_import_command, {"import", path, "-o", path});
  EXPECT_EQ(itself.code(), absl::StatusCode::kInvalidArgument) << itself;
}

TEST(ImportCommand, SaysHowMuchItWroteAndWhenThereIsNothing) {
  const TestDirectory directory;
  const auto said = [&](std::string_view csv) {
    testing::internal::CaptureStderr();
    const absl::Status status = import(directory, csv, {"--as", "invoices"});
    EXPECT_TRUE(status.ok()) << status;
    return testing::internal::GetCapturedStderr();
  };
  const std::string out = directory.file("out");
  const std::string all = said(kSample);
  EXPECT_NE(all.find("6 rows read, 4 records written to " + out + "\n"), std::string::npos) << all;
  EXPECT_EQ(all.find("holds no rows"), std::string::npos) << all;
  const std::string nothing = said(kSample.substr(0, kSample.find('\n') + 1));
  EXPECT_NE(nothing.find(directory.file("in.csv") + " holds no rows\n"), std::string::npos)
      << nothing;
  EXPECT_NE(nothing.find("0 rows read, 0 records written to " + out + "\n"), std::string::npos);
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

TEST(ImportCommand, RowsThatCannotBeUsedAreLeftOutAndCounted) {
  for (const std::string as : {"lines", "invoices"}) {
    const TestDirectory directory;
    const std::string rows = std::string(kSample) + "1,2,3\n" + "1,2,3,4,soon,6,7,8\n" +
                             "1,2,\"3,4\n" + "7,a,x,2,2011-12-01 08:26:00,1,5,UK\n";
    const absl::Status status = import(directory, rows, {"--as", as});
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_NE(status.message().find("3 of 10 rows could not be used"), std::string::npos) << status;
    const std::vector<std::string> written = read_lines(directory.file("out"));
    EXPECT_EQ(written.size(), as == "lines" ? 7U : 5U);
    EXPECT_NE(written.back().find("\"7\""), std::string::npos);
    EXPECT_TRUE(import(directory, rows, {"--as", as, "--allow-refused"}).ok());
  }
}

TEST(ImportCommand, WhatIsNoCsvIsRefused) {
  const TestDirectory directory;
  EXPECT_EQ(import(directory, "a,b\n1,2\n", {}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(run_command(add_import_command, {"import", directory.file("missing.csv")}).ok());
}

TEST(ImportCommand, WritesNumbersAsTheyAreAndTimesInUtc) {
  const TestDirectory directory;
  const std::string header(kSample.substr(0, kSample.find('\n') + 1));
  ASSERT_TRUE(import(directory, header + "1,a, x ,007,12/1/2010 8:26,1.500,.0,\n",
                     {"--set", "input.utc_offset=+01:00"})
                  .ok());
  EXPECT_EQ(read_lines(directory.file("out")).front(),
            R"({"InvoiceNo":"1","StockCode":"a","Description":" x ","Quantity":"007",)"
            R"("InvoiceDate":"2010-12-01T07:26:00Z","UnitPrice":1.500,"CustomerID":".0",)"
            R"("Country":""})");
  ASSERT_TRUE(import(directory, header + "1,a,x,\"1.200,50\",2010-12-01 08:26:00.125,1,5,UK\n",
                     {"--set", "input.decimal=comma", "--set", "input.thousands=point"})
                  .ok());
  EXPECT_NE(read_lines(directory.file("out"))
                .front()
                .find(R"("Quantity":1200.5,"InvoiceDate":"2010-12-01T08:26:00.125Z")"),
            std::string::npos);
}

// Whatever the order of its lines; DESIGN, section 3.
TEST(ImportCommand, LinesThatAddUpToLessThanZeroAreACredit) {
  const TestDirectory directory;
  const std::string header(kSample.substr(0, kSample.find('\n') + 1));
  ASSERT_TRUE(import(directory,
                     header + "I1,b,x,-3,2024-01-01 10:00:00,10,4,UK\n"
                              "I1,a,x,2,2024-01-01 10:00:00,10,4,UK\n"
                              "I2,b,x,-3,2024-01-01 10:00:00,10,4,UK\n"
                              "I2,a,x,4,2024-01-01 10:00:00,10,4,UK\n",
                     {"--as", "invoices"})
                  .ok());
  const std::vector<std::string> written = read_lines(directory.file("out"));
  ASSERT_EQ(written.size(), 2U);
  EXPECT_EQ(written[0].find(R"({"type":"credit","invoice_no":"I1")"), 0U) << written[0];
  EXPECT_EQ(written[1].find(R"({"type":"invoice","invoice_no":"I2")"), 0U) << written[1];
}

TEST(ImportCommand, WholeOrdersAreInvoicesInTheirOrder) {
  const TestDirectory directory;
  const std::string orders =
      "order_id,customer_id,order_date,revenue\n2,c1,2024-01-02,12.50\n1,,2024-01-01,-3\n";
  const std::vector<std::string> columns = {"--set", "input.columns.invoice_no=order_id",
                                            "--set", "input.columns.invoice_time=order_date",
                                            "--set", "input.columns.total=revenue"};
  std::vector<std::string> arguments = columns;
  arguments.insert(arguments.end(), {"--as", "invoices", "--set", "input.currency=EUR"});
  ASSERT_TRUE(import(directory, orders, arguments).ok());
  EXPECT_EQ(read_lines(directory.file("out")),
            (std::vector<std::string>{
                R"({"type":"invoice","invoice_no":"2","customer_id":"c1",)"
                R"("invoice_time":"2024-01-02T00:00:00.000Z","currency":"EUR","total":12.50})",
                R"({"type":"credit","invoice_no":"1","invoice_time":"2024-01-01T00:00:00.000Z",)"
                R"("currency":"EUR","total":-3})"}));
  EXPECT_EQ(import(directory, orders, columns).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace rfm
