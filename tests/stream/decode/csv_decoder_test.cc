// Goal: a CSV is read as it comes: columns by name, and all that sheets do to numbers, dates and
// texts by settings.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "stream/decode/csv_layout.h"
#include "stream/text/time_text.h"
#include "tests/stream/decode/decoding.h"

namespace rfm {
namespace {

constexpr std::string_view kOrderHeader = "order_id,customer_id,order_date,revenue";

CsvOptions order_columns() {
  CsvOptions options;
  options.columns[static_cast<std::size_t>(Field::kInvoiceNo)] = "order_id";
  options.columns[static_cast<std::size_t>(Field::kInvoiceTime)] = "Order Date";
  options.columns[static_cast<std::size_t>(Field::kTotal)] = "revenue";
  return options;
}

// A decoder for the rows below `header`.
Decoding csv_of(std::string_view header, const CsvOptions& options = {}) {
  const absl::StatusOr<CsvLayout> layout = read_csv_header(header, options);
  EXPECT_TRUE(layout.ok()) << layout.status();
  DecoderOptions decoder{.format = InputFormat::kCsv, .keys = KeyPolicy::kIfPresent};
  decoder.csv = options;
  if (layout.ok()) decoder.csv_layout = *layout;
  return Decoding(decoder);
}

std::string problem(std::string_view header, const CsvOptions& options = {}) {
  return std::string(read_csv_header(header, options).status().message());
}

std::string time_of(std::string_view date, DateOrder order) {
  const std::string row = "1,a,x,1," + std::string(date) + ",1,c,UK";
  Decoding csv = csv_of(kOnlineRetailHeader, {.date_order = order});
  const std::string message = csv.message(row);
  return message == "accepted" ? to_rfc3339(csv.line(row).invoice_time) : message;
}

TEST(CsvDecoder, ReadsTheColumnsOfOnlineRetail) {
  Decoding csv(InputFormat::kCsv);
  const LineEvent line = csv.line(
      "C536365,85123A,\"HEART, \"\"WHITE\"\"\",-6,2010-12-01 08:26:00,2.55,17850.0,\"Eire\"\r\n");
  EXPECT_EQ(line.customer_id, "17850");
  EXPECT_EQ(line.invoice_no, "C536365");
  EXPECT_EQ(line.type, InvoiceType::kCredit);
  EXPECT_EQ(line.country, "Eire");
  EXPECT_EQ(line.invoice_time, kTime);
  EXPECT_EQ(line.amount, (Money{-153'000}));
  EXPECT_EQ(csv.line("536365,1,\"two\nlines\",6,12/1/2010 8:26,2.55,17850,\"a \"\"b\"\"\"").country,
            "a \"b\"");
  EXPECT_EQ(csv.line("536365,15\" PIPE,x,6,12/1/2010 8:26,2.55,17850,").country, "");
}

TEST(CsvDecoder, RowsOfAnotherFormAreRefused) {
  Decoding csv(InputFormat::kCsv);
  EXPECT_EQ(csv.reason(""), "missing_field");
  EXPECT_EQ(csv.message("1,2,3,6,2010-12-01 08:26:00,2.55,17850.0,x,9"),
            "the row has 9 columns, the header 8");
  EXPECT_EQ(csv.reason("1,2,\"3,6,2010-12-01 08:26:00,2.55,17850.0,x"), "malformed");
  EXPECT_EQ(csv.reason("1,2,\"3\"3,6,2010-12-01 08:26:00,2.55,17850.0,x"), "malformed");
  EXPECT_EQ(csv.message(",2,3,6,2010-12-01 08:26:00,2.55,17850.0,x"), "InvoiceNo: missing");
  EXPECT_EQ(csv.message("1,2,3,six,2010-12-01 08:26:00,2.55,17850.0,x"),
            R"(Quantity: "six" is not a decimal number like -12.50)");
  EXPECT_EQ(csv.message("1,2,3,6,2010-12-01 08:26:00"), "UnitPrice: missing");
  EXPECT_TRUE(
      std::holds_alternative<AnonymousSale>(csv.decode("1,2,3,6,2010-12-01 08:26:00,2.55,,x")));
}

TEST(CsvDecoder, MissingColumnsAtTheEndAreEmptyAndEmptyOnesMoreAreNone) {
  Decoding csv(InputFormat::kCsv);
  EXPECT_EQ(csv.line("1,a,x,1,2010-12-01 08:26:00,10,c2").customer_id, "c2");
  EXPECT_EQ(csv.line("1,a,x,1,2010-12-01 08:26:00,10,c2").country, "");
  EXPECT_EQ(csv.line("1,a,x,1,2010-12-01 08:26:00,10,c1,UK,, ,\"\"").country, "UK");
}

TEST(CsvDecoder, FindsColumnsByTheirNames) {
  for (const std::string_view header :
       {"Country,CustomerID,UnitPrice,InvoiceDate,Quantity,Description,StockCode,InvoiceNo",
        "country,\"Customer ID\",Price,invoice_date,QUANTITY,note,more,Invoice",
        "Country, customer_id ,unit price,InvoiceDate,Quantity,,TotalPrice, Invoice No."}) {
    EXPECT_EQ(csv_of(header).line("UK,17850,2.55,2010-12-01 08:26:00,6,x,a,536365").amount,
              Money{153'000})
        << header;
  }
  Decoding pandas = csv_of(",InvoiceNo,Quantity,InvoiceDate,UnitPrice,CustomerID,,");
  EXPECT_EQ(pandas.line("0,536365,6,12/1/2010 8:26,2.55,17850.0,,").customer_id, "17850");
}

TEST(CsvDecoder, NamesWhatTheHeaderLacks) {
  EXPECT_EQ(problem("InvoiceNo;Quantity;InvoiceDate;UnitPrice;Kunde"),
            "has no column for customer_id (CustomerID); name what stands for it in "
            "[input.columns]; its header, split at \";\", has InvoiceNo, Quantity, InvoiceDate, "
            "UnitPrice, Kunde");
  EXPECT_NE(problem(kOrderHeader)
                .find("has no column for invoice_no (InvoiceNo or Invoice), "
                      "quantity (Quantity), invoice_time"),
            std::string::npos)
      << problem(kOrderHeader);
  EXPECT_EQ(problem("a,b").find("begins with \"a,b\", which names none of the columns"), 0U);
  EXPECT_EQ(problem("InvoiceNo,Invoice No,Quantity")
                .find("has two columns called \"Invoice No\"; its header, split at \",\", has "),
            0U);
  EXPECT_EQ(
      problem("order_id,customer_id,revenue", order_columns())
          .find("has no column called \"Order Date\", which input.columns.invoice_time names"),
      0U);
}

TEST(CsvDecoder, FindsTheSeparatorOrTakesTheOneThatIsSet) {
  for (const std::string_view separator : {",", ";", "\t", "|"}) {
    std::string header;
    for (const std::string_view name :
         {"InvoiceNo", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "\"a,;\t|b\""})
      header.append(header.empty() ? "" : separator).append(name);
    const absl::StatusOr<CsvLayout> layout = read_csv_header(header, {});
    ASSERT_TRUE(layout.ok()) << layout.status();
    EXPECT_EQ(layout->separator, separator.front());
    EXPECT_FALSE(read_csv_header(header, {.separator = '#'}).ok());
  }
  Decoding tabs = csv_of("InvoiceNo\tQuantity\tInvoiceDate\tUnitPrice\tCustomerID");
  EXPECT_EQ(tabs.line("1\t6\t2010-12-01 08:26:00\t2.55\t\"a\tb\"").customer_id, "a\tb");
}

TEST(CsvDecoder, SpacesAndZeroDecimalsAreNoPartOfIds) {
  Decoding csv(InputFormat::kCsv);
  for (const std::string_view id : {" 17850 ", "17850.00", "\"17850\"", " \"17850\" ", "\t17850",
                                    "\xc2\xa0"
                                    "17850 "}) {
    EXPECT_EQ(csv.line("1,a,x,1,2010-12-01 08:26:00,10," + std::string(id) + ",UK").customer_id,
              "17850")
        << id;
  }
  for (const std::string_view id : {"17,850", "1.785E+04", "017850", "17 850"}) {
    EXPECT_EQ(csv.line("1,a,x,1,2010-12-01 08:26:00,10,\"" + std::string(id) + "\",UK").customer_id,
              id);
  }
}

TEST(CsvDecoder, CancellationsAreMarkedWithEitherCase) {
  Decoding csv(InputFormat::kCsv);
  EXPECT_EQ(csv.line("c536366,a,x,6,2010-12-01 08:26:00,2.55,1,UK").type, InvoiceType::kCredit);
  EXPECT_EQ(csv.line(" C536366,a,x,6,2010-12-01 08:26:00,2.55,1,UK").type, InvoiceType::kCredit);
}

TEST(CsvDecoder, ReadsNumbersAsTheSettingsSay) {
  const auto amount = [](std::string_view quantity, NumberForm numbers) {
    CsvOptions options{.separator = ';'};
    options.numbers = numbers;
    Decoding csv = csv_of("InvoiceNo;Quantity;InvoiceDate;UnitPrice;CustomerID", options);
    const std::string row = "1;" + std::string(quantity) + ";2010-12-01 08:26:00;1;c";
    const std::string message = csv.message(row);
    return message == "accepted" ? to_text(csv.line(row).amount) : message;
  };
  const NumberForm comma{.decimal_mark = ','};
  const NumberForm german{.decimal_mark = ',', .thousands_mark = '.'};
  const NumberForm french{.decimal_mark = ',', .thousands_mark = ' '};
  const NumberForm english{.thousands_mark = ','};
  EXPECT_EQ(amount("2,55", comma), "2.5500");
  EXPECT_EQ(amount("-1.234.567,5", german), "-1234567.5000");
  EXPECT_EQ(amount("1234567,5", german), "1234567.5000");
  EXPECT_EQ(amount("1 200,5", french), "1200.5000");
  EXPECT_EQ(amount("1\xc2\xa0"
                   "200",
                   french),
            "1200.0000");
  EXPECT_EQ(amount("1\xe2\x80\xaf"
                   "200",
                   french),
            "1200.0000");
  EXPECT_EQ(amount("1,200.25", english), "1200.2500");
  for (const std::string_view wrong : {"12,00", "1,2000", "1234,567", ",200", "1,", "1,200,"})
    EXPECT_NE(amount(wrong, english).find("is not a decimal number"), std::string::npos) << wrong;
  EXPECT_EQ(amount("2.55", comma),
            "Quantity: \"2.55\" is not a decimal number like -12,50; input.decimal and "
            "input.thousands say which marks numbers have");
  EXPECT_NE(amount("1,200", {}).find("input.thousands"), std::string::npos);
  EXPECT_EQ(amount("$5", {}), "Quantity: \"$5\" is not a decimal number like -12.50");
  EXPECT_EQ(amount("", english), "Quantity: missing");
}

TEST(CsvDecoder, ReadsDatesInTheOrderThatIsSet) {
  const std::string first = "2010-12-01T08:26:00.000Z";
  for (const std::string_view date : {"12/1/2010 8:26", "12/01/10 08:26", "12-1-2010 8:26:00",
                                      "12.1.2010 8:26", "12/1/2010 8:26 AM", "2010/12/1 8:26"})
    EXPECT_EQ(time_of(date, DateOrder::kMonth), first) << date;
  for (const std::string_view date : {"01/12/2010 08:26", "1.12.10 8:26", "01-12-2010 8:26",
                                      "2010-12-01T08:26:00Z", "2010-12-01 08:26"})
    EXPECT_EQ(time_of(date, DateOrder::kDay), first) << date;
  for (const std::string_view date : {"10/12/01 08:26", "10-12-1 8:26", "2010.12.01 08:26"})
    EXPECT_EQ(time_of(date, DateOrder::kYear), first) << date;
  for (const std::string_view date : {"12/1/2010 8:26", "12/1/10 8:26", "2010.12.01 08:26"})
    EXPECT_EQ(time_of(date, DateOrder::kUnstated), first) << date;
  EXPECT_EQ(time_of("2010-12-01", DateOrder::kUnstated), "2010-12-01T00:00:00.000Z");
  EXPECT_EQ(time_of("1/12/2010", DateOrder::kDay), "2010-12-01T00:00:00.000Z");
  EXPECT_EQ(time_of("12/1/2010 12:05 AM", DateOrder::kMonth), "2010-12-01T00:05:00.000Z");
  EXPECT_EQ(time_of("12/1/2010 12:05 pm", DateOrder::kMonth), "2010-12-01T12:05:00.000Z");
  EXPECT_EQ(time_of("12/1/2010 11:05PM", DateOrder::kMonth), "2010-12-01T23:05:00.000Z");
  for (const std::string_view date : {"13/12/2010 08:26", "12/1/2010 13:05 PM", "12/1/2010 8:26 XM",
                                      "12/1/201 8:26", "12/1.2010 8:26", "12/1", "2/30/2010"}) {
    EXPECT_NE(time_of(date, DateOrder::kMonth).find("is not a time like"), std::string::npos)
        << date;
  }
}

TEST(CsvDecoder, ADateThatCannotBeMonthFirstAsksForTheOrder) {
  Decoding csv(InputFormat::kCsv);
  for (const std::string_view date : {"13/12/2010 08:26", "01.12.2010 08:26", "31-12-10"}) {
    const DecodedEvent event = csv.decode("1,a,x,1," + std::string(date) + ",1,c,UK");
    ASSERT_TRUE(std::holds_alternative<Rejection>(event)) << date;
    EXPECT_TRUE(std::get<Rejection>(event).lacks_date_order);
    EXPECT_NE(std::get<Rejection>(event).message.find("set input.date_order"), std::string::npos);
  }
  const DecodedEvent event = csv.decode("1,a,x,1,32/12/2010 08:26,1,c,UK");
  ASSERT_TRUE(std::holds_alternative<Rejection>(event));
  EXPECT_FALSE(std::get<Rejection>(event).lacks_date_order);
}

TEST(CsvDecoder, NamesTheDateNumbersOfExcel) {
  EXPECT_EQ(
      time_of("40513.35139", DateOrder::kUnstated),
      "InvoiceDate: \"40513.35139\" is not a time but an Excel serial date number (2010-12-01 "
      "08:26:00); save the column as dates");
  EXPECT_NE(time_of("40513", DateOrder::kDay).find("Excel"), std::string::npos);
  EXPECT_EQ(time_of("17850", DateOrder::kDay).find("Excel"), std::string::npos);
  EXPECT_EQ(time_of("405135", DateOrder::kDay).find("Excel"), std::string::npos);
}

TEST(CsvDecoder, ReadsTheEncodingThatIsSetAndNamesItElse) {
  const std::string row = "1,\xa3,x,6,2010-12-01 08:26:00,2.55,17850,R\xe9union \x80";
  EXPECT_EQ(Decoding(InputFormat::kCsv).message(row),
            "StockCode: \"\\xa3\" is not UTF-8; is the file in cp1252 or latin-1 "
            "(input.encoding)?");
  EXPECT_EQ(Decoding(InputFormat::kCsv).reason(row), "malformed");
  EXPECT_EQ(csv_of(kOnlineRetailHeader, {.encoding = TextEncoding::kCp1252}).line(row).country,
            "R\u00e9union \u20ac");
  EXPECT_EQ(csv_of(kOnlineRetailHeader, {.encoding = TextEncoding::kLatin1}).line(row).country,
            "R\u00e9union \xc2\x80");
  CsvOptions options{.encoding = TextEncoding::kCp1252};
  options.columns[static_cast<std::size_t>(Field::kCustomerId)] = "Kundennr. f\u00fcr uns";
  EXPECT_TRUE(
      read_csv_header("InvoiceNo,Quantity,InvoiceDate,UnitPrice,Kundennr. f\xfcr uns", options)
          .ok());
}

TEST(CsvDecoder, ReadsRowsThatAreWholeOrders) {
  Decoding csv = csv_of(kOrderHeader, order_columns());
  const InvoiceEvent order = csv.invoice("1,c1,2024-01-01,12.50");
  EXPECT_EQ(order.invoice_no, "1");
  EXPECT_EQ(order.customer_id, "c1");
  EXPECT_EQ(to_rfc3339(order.invoice_time), "2024-01-01T00:00:00.000Z");
  EXPECT_EQ(order.amount, Money{125'000});
  EXPECT_EQ(order.type, InvoiceType::kInvoice);
  EXPECT_EQ(csv.invoice("C2,c1,2024-01-01,5").type, InvoiceType::kInvoice);
  EXPECT_EQ(csv.invoice("2,c1,2024-01-01,-5").type, InvoiceType::kCredit);
  EXPECT_EQ(csv.message("3,c1,2024-01-01,free"),
            "revenue: \"free\" is not a decimal number like -12.50");
  EXPECT_TRUE(std::holds_alternative<AnonymousSale>(csv.decode("4,,2024-01-01,5")));

  Decoding typed = csv_of(
      "invoice_no,customer_id,invoice_time,total,quantity,type,original_invoice_no,currency,"
      "revision,consent");
  const InvoiceEvent credit = typed.invoice("9,c1,2024-01-01,5,1,credit,1,GBP,3,TRUE");
  EXPECT_EQ(credit.type, InvoiceType::kCredit);
  EXPECT_EQ(credit.original_invoice_no, "1");
  EXPECT_EQ(credit.revision, 3);
  EXPECT_EQ(credit.consent, true);
  EXPECT_EQ(typed.reason("9,c1,2024-01-01,-5,1,invoice,,,,"), "negative_invoice");
  EXPECT_EQ(typed.reason("9,c1,2024-01-01,5,1,invoice,,EUR,,"), "wrong_currency");
}

// A total beside quantity and price is a line's, unless a setting says that it is the order's.
TEST(CsvDecoder, QuantityAndPriceMakeLinesUnlessATotalIsChosen) {
  constexpr std::string_view kHeader = "InvoiceNo,CustomerID,InvoiceDate,Quantity,UnitPrice,Total";
  EXPECT_EQ(csv_of(kHeader).line("1,c,2024-01-01,2,3,7").amount, Money{60'000});
  CsvOptions options;
  options.columns[static_cast<std::size_t>(Field::kTotal)] = "total";
  EXPECT_EQ(csv_of(kHeader, options).invoice("1,c,2024-01-01,2,3,7").amount, Money{70'000});
}

}  // namespace
}  // namespace rfm
