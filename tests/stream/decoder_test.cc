#include "stream/decoder.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stream/time_text.h"

namespace rfm {
namespace {

using std::string_literals::operator""s;

constexpr std::string_view kLine =
    R"({"InvoiceNo":"536365","StockCode":"85123A","Description":"HEART","Quantity":6,)"
    R"("InvoiceDate":"2010-12-01 08:26:00","UnitPrice":2.55,"CustomerID":"17850.0","Country":"United Kingdom"})";
constexpr std::string_view kInvoice =
    R"({"event_id":"e1","type":"invoice","invoice_no":"536365","customer_id":"17850",)"
    R"("invoice_time":"2010-12-01T08:26:00Z","currency":"GBP","country":"United Kingdom",)"
    R"("lines":[{"stock_code":"85123A","description":"HEART","quantity":6,"unit_price":2.55},)"
    R"({"quantity":"-1","unit_price":"0.30"}]})";
constexpr EventTime kTime = from_ms(1'291'191'960'000);

// `text` with the first occurrence of `from` replaced by `to`.
std::string with(std::string_view text, std::string_view from, std::string_view to) {
  std::string result(text);
  const std::size_t at = result.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return result.replace(at, from.size(), to);
}

// Decodes records without keys, unless told otherwise.
class Decoding {
 public:
  explicit Decoding(InputFormat format, KeyPolicy keys = KeyPolicy::kIfPresent)
      : Decoding(DecoderOptions{.format = format, .keys = keys}) {}
  explicit Decoding(DecoderOptions options) : decoder_(std::move(options)) {}

  // The views in the result live until the next call.
  DecodedEvent decode(std::optional<std::string> value,
                      std::optional<std::string> key = std::nullopt) {
    value_ = std::move(value);
    key_ = std::move(key);
    RecordView record;
    if (value_) record.value = *value_;
    if (key_) record.key = *key_;
    return decoder_.decode(record);
  }

  std::string reason(std::optional<std::string> value,
                     std::optional<std::string> key = std::nullopt) {
    const DecodedEvent event = decode(std::move(value), std::move(key));
    const auto* rejection = std::get_if<Rejection>(&event);
    return rejection == nullptr ? "accepted" : std::string(name(rejection->reason));
  }

  std::string message(std::optional<std::string> value,
                      std::optional<std::string> key = std::nullopt) {
    const DecodedEvent event = decode(std::move(value), std::move(key));
    const auto* rejection = std::get_if<Rejection>(&event);
    return rejection == nullptr ? "accepted" : rejection->message;
  }

  LineEvent line(std::string_view value) {
    const DecodedEvent event = decode(std::string(value));
    if (const auto* rejection = std::get_if<Rejection>(&event))
      ADD_FAILURE() << value << ": " << rejection->message;
    const auto* line = std::get_if<LineEvent>(&event);
    return line == nullptr ? LineEvent{} : *line;
  }

  InvoiceEvent invoice(std::string_view value) {
    const DecodedEvent event = decode(std::string(value));
    if (const auto* rejection = std::get_if<Rejection>(&event))
      ADD_FAILURE() << value << ": " << rejection->message;
    const auto* invoice = std::get_if<InvoiceEvent>(&event);
    return invoice == nullptr ? InvoiceEvent{} : *invoice;
  }

 private:
  Decoder decoder_;
  std::optional<std::string> value_;
  std::optional<std::string> key_;
};

TEST(LineDecoder, ReadsAllFields) {
  Decoding lines(InputFormat::kLines);
  const LineEvent line = lines.line(with(kLine, "{", R"({"event_id":"e7","currency":"GBP",)"));
  EXPECT_EQ(line.customer_id, "17850");
  EXPECT_EQ(line.event_id, "e7");
  EXPECT_EQ(line.invoice_no, "536365");
  EXPECT_EQ(line.country, "United Kingdom");
  EXPECT_EQ(line.invoice_time, kTime);
  EXPECT_EQ(line.amount, (Money{153'000}));
  EXPECT_EQ(line.type, InvoiceType::kInvoice);
}

TEST(LineDecoder, OrderAndSpaceDoNotMatter) {
  Decoding lines(InputFormat::kLines);
  const LineEvent line = lines.line(
      " {\t\"Country\" :\r\n\"France\" , "
      "\"CustomerID\":17850.0,\"UnitPrice\":\"2.55\",\"x\":[{},[]], \"Quantity\": \"6\" ,"
      "\"InvoiceDate\":\"12/1/2010 8:26\",\"InvoiceNo\": 536365 } \n");
  EXPECT_EQ(line.customer_id, "17850");
  EXPECT_EQ(line.invoice_no, "536365");
  EXPECT_EQ(line.country, "France");
  EXPECT_EQ(line.invoice_time, kTime);
  EXPECT_EQ(line.amount, (Money{153'000}));
}

TEST(LineDecoder, OptionalFieldsMayBeMissingOrNull) {
  Decoding lines(InputFormat::kLines);
  EXPECT_EQ(lines.line(with(kLine, R"(,"Country":"United Kingdom")", "")).country, "");
  EXPECT_EQ(lines.line(with(kLine, R"("Country":"United Kingdom")", R"("Country":null)")).country,
            "");
  EXPECT_EQ(lines.line(with(kLine, R"("HEART")", "null")).invoice_no, "536365");
  EXPECT_EQ(lines.line(with(kLine, "{", R"({"event_id":null,"currency":null,)")).event_id, "");
}

TEST(LineDecoder, IdsThatSpreadsheetsMadeDecimalsAreTheirIntegerPart) {
  Decoding lines(InputFormat::kLines);
  const auto customer = [&lines](std::string_view id) {
    return std::string(lines.line(with(kLine, R"("17850.0")", id)).customer_id);
  };
  EXPECT_EQ(customer(R"("17850.000")"), "17850");
  EXPECT_EQ(customer("17850"), "17850");
  EXPECT_EQ(customer("17850.0"), "17850");
  EXPECT_EQ(customer(R"("017850.0")"), "017850");
  EXPECT_EQ(customer(R"("17850.")"), "17850.");
  EXPECT_EQ(customer(R"("17850.10")"), "17850.10");
  EXPECT_EQ(customer(R"(".0")"), ".0");
  EXPECT_EQ(customer(R"("a1.0")"), "a1.0");
  EXPECT_EQ(customer(R"("-1.0")"), "-1.0");
  EXPECT_EQ(customer(R"("1.2.0")"), "1.2.0");
  EXPECT_EQ(lines.line(with(kLine, R"("536365")", R"("536365.0")")).invoice_no, "536365");
}

TEST(LineDecoder, IdsAreOpaqueText) {
  Decoding lines(InputFormat::kLines);
  EXPECT_EQ(lines.line(with(kLine, "17850.0", R"(\u00e9\ud83d\ude00\"\\\n )")).customer_id,
            "\u00e9\U0001F600\"\\\n ");
  EXPECT_EQ(lines.line(with(kLine, "17850.0", std::string(128, 'x'))).customer_id,
            std::string(128, 'x'));
  EXPECT_EQ(lines.reason(with(kLine, "17850.0", std::string(129, 'x'))), "invalid_field");
  EXPECT_EQ(lines.reason(with(kLine, "17850.0", R"(a\u0000b)")), "invalid_field");
  for (const std::string_view value : {"true", "{}", "[1]", "1.5", "1e3", "-1.0"}) {
    EXPECT_EQ(lines.reason(with(kLine, R"("17850.0")", value)), "invalid_field") << value;
  }
}

TEST(LineDecoder, SeveralEscapedStringsKeepTheirContent) {
  Decoding lines(InputFormat::kLines);
  const LineEvent line = lines.line(
      with(with(with(kLine, "536365", R"(\u0041\t5)"), "17850.0", R"(\/b)"), "United", R"(\\)"));
  EXPECT_EQ(line.invoice_no, "A\t5");
  EXPECT_EQ(line.customer_id, "/b");
  EXPECT_EQ(line.country, "\\ Kingdom");
}

TEST(LineDecoder, LeadingCMarksACredit) {
  Decoding lines(InputFormat::kLines);
  const LineEvent credit = lines.line(with(with(kLine, "536365", "C536365"), ":6", ":-6"));
  EXPECT_EQ(credit.type, InvoiceType::kCredit);
  EXPECT_EQ(credit.invoice_no, "C536365");
  EXPECT_EQ(credit.amount, (Money{-153'000}));
  EXPECT_EQ(lines.line(with(kLine, "536365", "c536365")).type, InvoiceType::kInvoice);
}

TEST(LineDecoder, AdjustmentsAreNobodysPurchase) {
  Decoding lines(InputFormat::kLines);
  const auto is_adjustment = [&lines](std::string_view invoice_no) {
    const DecodedEvent event = lines.decode(with(kLine, "536365", invoice_no));
    return std::holds_alternative<Adjustment>(event) &&
           std::get<Adjustment>(event).invoice_time == kTime;
  };
  EXPECT_TRUE(is_adjustment("A563185"));
  EXPECT_FALSE(is_adjustment("A"));
  EXPECT_FALSE(is_adjustment("AB12"));
  EXPECT_FALSE(is_adjustment("a563185"));
}

TEST(LineDecoder, LinesWithoutCustomerAreAnonymous) {
  Decoding lines(InputFormat::kLines, KeyPolicy::kRequired);
  for (const std::string_view customer : {"null", R"("")"}) {
    const DecodedEvent event = lines.decode(with(kLine, R"("17850.0")", customer));
    ASSERT_TRUE(std::holds_alternative<AnonymousSale>(event)) << customer;
    EXPECT_EQ(std::get<AnonymousSale>(event).invoice_time, kTime);
    EXPECT_EQ(std::get<AnonymousSale>(event).amount, (Money{153'000}));
  }
}

TEST(LineDecoder, MissingFieldsAreNamed) {
  Decoding lines(InputFormat::kLines);
  for (const std::string_view field : {"InvoiceNo", "Quantity", "InvoiceDate", "UnitPrice"}) {
    const std::string missing = with(kLine, field, "Other");
    EXPECT_EQ(lines.reason(missing), "missing_field");
    EXPECT_EQ(lines.message(missing), std::string(field) + ": missing");
  }
  EXPECT_EQ(lines.reason(with(kLine, R"("536365")", R"("")")), "missing_field");
  EXPECT_EQ(lines.reason(with(kLine, ":6", ":null")), "missing_field");
  EXPECT_EQ(lines.reason("{}"), "missing_field");
}

TEST(LineDecoder, InvalidFieldsAreShown) {
  Decoding lines(InputFormat::kLines);
  EXPECT_EQ(lines.message(with(kLine, ":6", R"(:"six")")),
            R"(Quantity: "six" is not a decimal number like -12.50)");
  EXPECT_EQ(lines.message(with(kLine, "2.55", R"("1\u0001)" + std::string(100, 'x') + '"')),
            R"(UnitPrice: "1\x01)" + std::string(38, 'x') +
                R"(..." is not a decimal number like -12.50)");
  for (const std::string_view value :
       {"1e3", "1E3", "true", "{}", "[6]", R"("1,5")", R"(" 6")", R"("0x6")", R"("NaN")"}) {
    EXPECT_EQ(lines.reason(with(kLine, ":6", ":"s.append(value))), "invalid_field") << value;
  }
  for (const std::string_view value :
       {"1291191960", "null_", R"("2010-13-01 08:26")", R"("1969-12-31 23:59")"}) {
    EXPECT_NE(lines.reason(with(kLine, R"("2010-12-01 08:26:00")", value)), "accepted") << value;
  }
  EXPECT_EQ(lines.reason(with(kLine, R"("United Kingdom")", "44")), "invalid_field");
  EXPECT_EQ(lines.reason(with(kLine, ":6", ":0.12345678901234567891")), "invalid_field");
}

TEST(LineDecoder, AmountsThatDoNotFitOverflow) {
  Decoding lines(InputFormat::kLines);
  EXPECT_EQ(lines.reason(with(kLine, ":6", ":922337203685478")), "amount_overflow");
  EXPECT_EQ(lines.reason(with(kLine, ":6", ":" + std::string(400, '9'))), "amount_overflow");
  EXPECT_EQ(lines.line(with(with(kLine, ":6", ":922337203685477.5807"), "2.55", "1")).amount.units,
            9223372036854775807);
}

TEST(LineDecoder, OtherCurrenciesAreRefused) {
  Decoding lines(InputFormat::kLines);
  EXPECT_EQ(lines.reason(with(kLine, "{", R"({"currency":"EUR",)")), "wrong_currency");
  EXPECT_EQ(lines.message(with(kLine, "{", R"({"currency":"gbp",)")),
            R"(currency: "gbp" is not GBP)");
  EXPECT_EQ(lines.reason(with(kLine, "{", R"({"currency":826,)")), "invalid_field");
}

TEST(LineDecoder, TimesWithoutZoneUseTheOffset) {
  Decoding lines(
      DecoderOptions{.keys = KeyPolicy::kIfPresent, .utc_offset = std::chrono::minutes{90}});
  EXPECT_EQ(lines.line(kLine).invoice_time, kTime - std::chrono::minutes{90});
  EXPECT_EQ(lines.line(with(kLine, "08:26:00", "08:26:00Z")).invoice_time, kTime);
}

TEST(Json, BrokenRecordsAreMalformed) {
  Decoding lines(InputFormat::kLines);
  for (std::size_t size = 0; size < kLine.size(); ++size) {
    EXPECT_EQ(lines.reason(std::string(kLine.substr(0, size))), "malformed") << size;
  }
  for (const std::string& value : {"null"s,
                                   "[]"s,
                                   "1"s,
                                   R"("x")"s,
                                   std::string(kLine) + "}",
                                   std::string(kLine) + std::string(kLine),
                                   std::string(kLine) + " x",
                                   "\xef\xbb\xbf" + std::string(kLine),
                                   with(kLine, ",", ",,"),
                                   with(kLine, ":", "::"),
                                   with(kLine, ":6", ":06"),
                                   with(kLine, ":6", ":+6"),
                                   with(kLine, ":6", ":6."),
                                   with(kLine, ":6", ":.6"),
                                   with(kLine, ":6", ":-"),
                                   with(kLine, ":6", ":6x"),
                                   with(kLine, ":6", ":nul"),
                                   with(kLine, ":6", ":truex"),
                                   with(kLine, ":6", ":1e"),
                                   with(kLine, "\"HEART\"", "'HEART'"),
                                   with(kLine, "HEART", "\\q"),
                                   with(kLine, "HEART", "\\u12G4"),
                                   with(kLine, "HEART", "a\nb"),
                                   with(kLine, "HEART", "\xff"),
                                   with(kLine, "HEART", "\xc3"),
                                   with(kLine, "HEART", "\xed\xa0\x80"),
                                   with(kLine, "17850.0", "\\ud800"),
                                   with(kLine, "HEART", "a\0b"s),
                                   with(kLine, "{", "{\0"s),
                                   with(kLine, "}", ",}"),
                                   with(kLine, ",", ""),
                                   with(kLine, "\"HEART\"", "[1,]"),
                                   with(kLine, "\"HEART\"", "[1"),
                                   with(kLine, "\"HEART\"", "{\"a\"}"),
                                   with(kLine, "\"HEART\"", "[1}"),
                                   with(kLine, "\"Quantity\"", "Quantity"),
                                   with(kLine, "Kingdom\"", "Kingdom")}) {
    EXPECT_EQ(lines.reason(value), "malformed") << value;
  }
}

TEST(Json, UnknownFieldsAreIgnored) {
  Decoding lines(InputFormat::kLines);
  for (const std::string_view value :
       {"1", "-0.5e+10", "true", "null", R"("\ud800\u0041")", "[]", R"([{"a":[1,{}]},""])"}) {
    const std::string record =
        with(kLine, "{", "{\"Quantity2\":" + std::string(value) + ",\"\":0,\"\":1,");
    EXPECT_EQ(lines.line(record).amount, (Money{153'000})) << value;
  }
}

TEST(Json, AFieldThatAppearsTwiceIsMalformed) {
  Decoding lines(InputFormat::kLines);
  EXPECT_EQ(lines.message(with(kLine, "{", R"({"Quantity":6,)")),
            R"(the member "Quantity" appears twice)");
  EXPECT_EQ(lines.reason(with(kLine, "{", R"({"CustomerID":null,)")), "malformed");
  EXPECT_EQ(lines.reason(with(kLine, "{", R"({"Description":"used by nobody",)")), "accepted");
}

TEST(Json, NamesAreComparedAsWritten) {
  Decoding lines(InputFormat::kLines);
  EXPECT_EQ(lines.message(with(kLine, "Quantity", "Quant\\u0069ty")), "Quantity: missing");
  EXPECT_EQ(lines.message(with(kLine, "Quantity", "quantity")), "Quantity: missing");
}

TEST(Json, DeepNestingIsRefused) {
  Decoding lines(InputFormat::kLines);
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(lines.reason(with(kLine, "\"HEART\"", nested(63))), "accepted");
  EXPECT_EQ(lines.reason(with(kLine, "\"HEART\"", nested(64))), "malformed");
  EXPECT_EQ(lines.reason(with(kLine, "\"HEART\"", nested(400'000))), "malformed");
  EXPECT_EQ(lines.reason(with(kLine, "\"HEART\"", std::string(400'000, '['))), "malformed");
}

TEST(InvoiceDecoder, ReadsAllFields) {
  Decoding invoices(InputFormat::kInvoices);
  const InvoiceEvent invoice = invoices.invoice(
      with(kInvoice, "{", R"({"revision":3,"consent":true,"original_invoice_no":"x",)"));
  EXPECT_EQ(invoice.customer_id, "17850");
  EXPECT_EQ(invoice.event_id, "e1");
  EXPECT_EQ(invoice.invoice_no, "536365");
  EXPECT_EQ(invoice.original_invoice_no, "");  // Of credits only.
  EXPECT_EQ(invoice.country, "United Kingdom");
  EXPECT_EQ(invoice.invoice_time, kTime);
  EXPECT_EQ(invoice.amount, (Money{150'000}));
  EXPECT_EQ(invoice.type, InvoiceType::kInvoice);
  EXPECT_EQ(invoice.revision, 3);
  EXPECT_EQ(invoice.consent, true);
}

TEST(InvoiceDecoder, CreditsKeepTheirSumsSign) {
  Decoding invoices(InputFormat::kInvoices);
  const std::string credit =
      with(with(kInvoice, "\"invoice\"", "\"credit\""), "{", R"({"original_invoice_no":536365,)");
  EXPECT_EQ(invoices.invoice(credit).type, InvoiceType::kCredit);
  EXPECT_EQ(invoices.invoice(credit).original_invoice_no, "536365");
  EXPECT_EQ(invoices.invoice(credit).amount, (Money{150'000}));
  EXPECT_EQ(invoices.invoice(with(credit, ":6", ":-6")).amount, (Money{-156'000}));
}

TEST(InvoiceDecoder, IdsAreNotMadeIntegers) {
  Decoding invoices(InputFormat::kInvoices);
  EXPECT_EQ(invoices.invoice(with(kInvoice, "17850", "17850.0")).customer_id, "17850.0");
  EXPECT_EQ(invoices.invoice(with(kInvoice, R"("17850")", "17850")).customer_id, "17850");
  EXPECT_EQ(invoices.reason(with(kInvoice, R"("17850")", "17850.0")), "invalid_field");
}

TEST(InvoiceDecoder, TotalWinsOverLines) {
  Decoding invoices(InputFormat::kInvoices);
  EXPECT_EQ(invoices.invoice(with(kInvoice, "{", R"({"total":"12.34565",)")).amount,
            (Money{123'457}));
  EXPECT_EQ(invoices.invoice(with(with(kInvoice, ":6", R"(:"bad")"), "{", R"({"total":1,)")).amount,
            (Money{10'000}));
  EXPECT_EQ(invoices.invoice(with(kInvoice, "{", R"({"total":null,)")).amount, (Money{150'000}));
  EXPECT_EQ(invoices.reason(with(kInvoice, "{", R"({"total":"1e2",)")), "invalid_field");
  EXPECT_EQ(invoices.reason(with(kInvoice, "{", R"({"total":-0.0001,)")), "negative_invoice");
  EXPECT_EQ(invoices.reason(with(kInvoice, "{", R"({"total":922337203685478,)")),
            "amount_overflow");
}

TEST(InvoiceDecoder, LinesAreNeededWithoutTotal) {
  Decoding invoices(InputFormat::kInvoices);
  EXPECT_EQ(invoices.message(with(kInvoice, "\"lines\"", "\"rows\"")),
            "lines: missing, and so is the total");
  EXPECT_EQ(invoices.reason(with(kInvoice, "\"lines\":", "\"lines\":[],\"rows\":")),
            "invalid_field");
  EXPECT_EQ(invoices.reason(with(kInvoice, "\"lines\":", "\"lines\":{},\"rows\":")),
            "invalid_field");
  EXPECT_EQ(invoices.reason(with(kInvoice, "\"lines\":", "\"lines\":7,\"rows\":")),
            "invalid_field");
  EXPECT_EQ(invoices.reason(with(kInvoice, "\"lines\":[", "\"lines\":[7,")), "malformed");
}

TEST(InvoiceDecoder, LinesAreNamedByTheirIndex) {
  Decoding invoices(InputFormat::kInvoices);
  EXPECT_EQ(invoices.message(with(kInvoice, R"("unit_price":"0.30")", R"("price":"0.30")")),
            "lines[1]: unit_price: missing");
  EXPECT_EQ(invoices.message(with(kInvoice, ":6", R"(:"")")), "lines[0]: quantity: missing");
  EXPECT_EQ(invoices.reason(with(kInvoice, "\"-1\"", "\"one\"")), "invalid_field");
  EXPECT_EQ(invoices.reason(with(kInvoice, R"("quantity":6,)", R"("quantity":6,"quantity":6,)")),
            "malformed");
}

TEST(InvoiceDecoder, EachLineIsRoundedAndTheSumIsExact) {
  Decoding invoices(InputFormat::kInvoices);
  const auto amount = [&invoices](std::string_view lines) {
    const std::size_t at = kInvoice.find("\"lines\"");
    return invoices
        .invoice(std::string(kInvoice.substr(0, at)).append("\"lines\":").append(lines) + "}")
        .amount.units;
  };
  EXPECT_EQ(amount(R"([{"quantity":1,"unit_price":0.00005},{"quantity":1,"unit_price":0.00005}])"),
            2);
  EXPECT_EQ(amount(R"([{"quantity":0,"unit_price":5}])"), 0);
  // Beyond an int64 on the way.
  EXPECT_EQ(
      amount(
          R"([{"quantity":1,"unit_price":922337203685477},{"quantity":1,"unit_price":922337203685477},)"
          R"({"quantity":-1,"unit_price":922337203685477}])"),
      9'223'372'036'854'770'000);
}

TEST(InvoiceDecoder, SumsThatDoNotFitOverflow) {
  Decoding invoices(InputFormat::kInvoices);
  const std::string line = R"({"quantity":1,"unit_price":922337203685477},)";
  EXPECT_EQ(invoices.reason(with(kInvoice, "\"lines\":[", "\"lines\":[" + line + line)),
            "amount_overflow");
  EXPECT_EQ(invoices.reason(with(kInvoice, ":6", ":9223372036854775807")), "amount_overflow");
}

TEST(InvoiceDecoder, ANegativeInvoiceIsRefused) {
  Decoding invoices(InputFormat::kInvoices);
  EXPECT_EQ(invoices.reason(with(kInvoice, ":6", ":-6")), "negative_invoice");
  EXPECT_EQ(invoices.message(with(kInvoice, ":6", ":-6")),
            "the invoice adds up to -15.6000; a credit has type \"credit\"");
}

TEST(InvoiceDecoder, RequiredFieldsAreNamed) {
  Decoding invoices(InputFormat::kInvoices);
  for (const std::string_view field : {"type", "invoice_no", "invoice_time", "currency"}) {
    const std::string missing = with(kInvoice, "\"" + std::string(field) + "\"", "\"other\"");
    EXPECT_EQ(invoices.reason(missing), "missing_field");
    EXPECT_EQ(invoices.message(missing), std::string(field) + ": missing");
  }
}

TEST(InvoiceDecoder, InvalidFieldsAreRefused) {
  Decoding invoices(InputFormat::kInvoices);
  EXPECT_EQ(invoices.reason(with(kInvoice, "\"invoice\"", "\"order\"")), "invalid_field");
  EXPECT_EQ(invoices.reason(with(kInvoice, "\"invoice\"", "\"Credit\"")), "invalid_field");
  EXPECT_EQ(invoices.reason(with(kInvoice, "\"invoice\"", "1")), "invalid_field");
  EXPECT_EQ(invoices.reason(with(kInvoice, "\"GBP\"", "\"USD\"")), "wrong_currency");
  for (const std::string_view revision : {"-1", "1.5", "9223372036854775808", "\"x\"", "true"}) {
    EXPECT_EQ(invoices.reason(with(kInvoice, "{", "{\"revision\":" + std::string(revision) + ",")),
              "invalid_field");
  }
  for (const std::string_view consent : {"1", "\"true\"", "[]"}) {
    EXPECT_EQ(invoices.reason(with(kInvoice, "{", "{\"consent\":" + std::string(consent) + ",")),
              "invalid_field");
  }
  EXPECT_EQ(invoices.invoice(with(kInvoice, "{", R"({"revision":"9223372036854775807",)")).revision,
            9'223'372'036'854'775'807);
}

TEST(InvoiceDecoder, InvoicesWithoutCustomerAreAnonymous) {
  Decoding invoices(InputFormat::kInvoices, KeyPolicy::kRequired);
  EXPECT_TRUE(std::holds_alternative<AnonymousSale>(
      invoices.decode(with(kInvoice, "\"17850\"", "null"), "some key")));
}

TEST(Keys, MustBeTheCustomer) {
  Decoding topic(InputFormat::kLines, KeyPolicy::kRequired);
  EXPECT_EQ(topic.reason(std::string(kLine), "17850"), "accepted");
  EXPECT_EQ(topic.reason(std::string(kLine), std::nullopt), "key_missing");
  for (const std::string_view key : {"", "17850.0", "17851", "1785", "17850 ", "\xff"}) {
    EXPECT_EQ(topic.reason(std::string(kLine), std::string(key)), "key_mismatch") << key;
  }
  EXPECT_EQ(topic.message(std::string(kLine), "a\xff"),
            R"(key: "a\xff" is not the customer "17850")");
}

TEST(Keys, OfFilesAreCheckedIfThereAreAny) {
  Decoding file(InputFormat::kLines);
  EXPECT_EQ(file.reason(std::string(kLine), std::nullopt), "accepted");
  EXPECT_EQ(file.reason(std::string(kLine), "17850"), "accepted");
  EXPECT_EQ(file.reason(std::string(kLine), "1"), "key_mismatch");
}

TEST(Keys, ATombstoneErasesTheCustomer) {
  for (const InputFormat format :
       {InputFormat::kLines, InputFormat::kInvoices, InputFormat::kCsv}) {
    Decoding decoding(format, KeyPolicy::kRequired);
    const DecodedEvent event = decoding.decode(std::nullopt, "17850");
    ASSERT_TRUE(std::holds_alternative<Tombstone>(event));
    EXPECT_EQ(std::get<Tombstone>(event).customer_id, "17850");
    EXPECT_EQ(decoding.reason(std::nullopt, std::nullopt), "key_missing");
    EXPECT_EQ(decoding.reason(std::nullopt, ""), "invalid_field");
    EXPECT_EQ(decoding.reason(std::nullopt, std::string(129, 'x')), "invalid_field");
    EXPECT_EQ(decoding.reason(std::nullopt, "a\0b"s), "invalid_field");
    EXPECT_EQ(decoding.reason(std::nullopt, "\xff"), "invalid_field");
    EXPECT_EQ(decoding.reason(std::nullopt, "17850.0"),
              format == InputFormat::kInvoices ? "accepted" : "key_mismatch");
  }
}

TEST(Records, LongerThanAllowedAreOversized) {
  Decoding lines(DecoderOptions{.keys = KeyPolicy::kIfPresent, .record_bytes_max = kLine.size()});
  EXPECT_EQ(lines.reason(std::string(kLine)), "accepted");
  EXPECT_EQ(lines.reason(std::string(kLine) + " "), "oversized");
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
  EXPECT_EQ(csv.reason(""), "malformed");
  EXPECT_EQ(csv.message("1,2,3,4,5,6,7"), "the row has 7 columns, not 8");
  EXPECT_EQ(csv.message("1,2,3,4,5,6,7,8,9"), "the row has 9 columns, not 8");
  EXPECT_EQ(csv.reason("1,2,\"3,6,2010-12-01 08:26:00,2.55,17850.0,x"), "malformed");
  EXPECT_EQ(csv.reason("1,2,\"3\"3,6,2010-12-01 08:26:00,2.55,17850.0,x"), "malformed");
  EXPECT_EQ(csv.message("1,2,3,6,2010-12-01 08:26:00,2.55,17850.0,\xa3"), "Country is not UTF-8");
  EXPECT_EQ(csv.reason("1,2,\xa3 BAG,6,2010-12-01 08:26:00,2.55,17850.0,x"),
            "accepted");  // A column nobody reads.
  EXPECT_EQ(csv.message(",2,3,6,2010-12-01 08:26:00,2.55,17850.0,x"), "InvoiceNo: missing");
  EXPECT_EQ(csv.message("1,2,3,six,2010-12-01 08:26:00,2.55,17850.0,x"),
            R"(Quantity: "six" is not a decimal number like -12.50)");
  EXPECT_TRUE(
      std::holds_alternative<AnonymousSale>(csv.decode("1,2,3,6,2010-12-01 08:26:00,2.55,,x")));
}

TEST(FieldPointers, ReadOtherProducersJson) {
  DecoderOptions options{.format = InputFormat::kInvoices, .keys = KeyPolicy::kIfPresent};
  options.fields.invoice_no = "/order/id";
  options.fields.customer_id = "/order/buyer/0/id~1no";
  options.fields.lines = "/order/items";
  options.fields.quantity = "/count";
  options.fields.unit_price = "/price/amount";
  ASSERT_TRUE(Decoder::check(options).ok());
  Decoding orders(options);
  const std::string order =
      R"({"type":"invoice","invoice_time":"2010-12-01T08:26:00Z","currency":"GBP","order":{"note":{"id":9},"items":[)"
      R"({"price":{"amount":2.5,"tax":1},"count":2}],"id":77,"buyer":[{"x":1,"id/no":"b\u0031"},{"id/no":"b2"}]}})";
  const InvoiceEvent invoice = orders.invoice(order);
  EXPECT_EQ(invoice.invoice_no, "77");
  EXPECT_EQ(invoice.customer_id, "b1");
  EXPECT_EQ(invoice.amount, (Money{50'000}));
  EXPECT_EQ(orders.message(with(order, "\"id\":77", "\"no\":77")), "/order/id: missing");
  EXPECT_EQ(orders.message(with(order, R"({"price":{"amount":2.5,"tax":1},)", R"({"price":2.5,)")),
            "lines[0]: /price/amount: missing");
}

TEST(FieldPointers, ThatCannotWorkAreRefused) {
  const auto check = [](std::string_view pointer) {
    DecoderOptions options{.format = InputFormat::kInvoices};
    options.fields.customer_id = pointer;
    return Decoder::check(options);
  };
  EXPECT_TRUE(check("/order/id").ok());
  EXPECT_TRUE(check("/lines2").ok());
  for (const std::string_view pointer :
       {"order", "/a~2", "/a~", "/a\"b", "/a\\b", "/invoice_no", "/invoice_no/x"}) {
    EXPECT_EQ(check(pointer).code(), absl::StatusCode::kInvalidArgument) << pointer;
  }
}

TEST(DeadLetterReasons, HaveNames) {
  for (int i = 0; i < kDeadLetterReasonCount; ++i)
    EXPECT_NE(name(static_cast<DeadLetterReason>(i)), "");
  EXPECT_EQ(name(DeadLetterReason::kOversized), "oversized");
}

}  // namespace
}  // namespace rfm
