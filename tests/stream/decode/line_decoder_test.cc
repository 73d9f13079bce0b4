#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>

#include "tests/stream/decode/decoding.h"

namespace rfm {
namespace {

using std::string_literals::operator""s;

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
  EXPECT_EQ(lines.line(with(kLine, "536365", "c536365")).type, InvoiceType::kCredit);
  EXPECT_EQ(lines.line(with(kLine, "536365", "B536365")).type, InvoiceType::kInvoice);
}

TEST(LineDecoder, AdjustmentsAreNobodysPurchase) {
  Decoding lines(InputFormat::kLines);
  const auto is_adjustment = [&lines](std::string_view invoice_no) {
    const DecodedEvent event =
        lines.decode(with(with(kLine, "536365", invoice_no), "\"17850.0\"", "null"));
    return std::holds_alternative<Adjustment>(event) &&
           std::get<Adjustment>(event).invoice_time == kTime;
  };
  // A shop's own numbers may look like it.
  EXPECT_EQ(lines.line(with(kLine, "536365", "A536365")).type, InvoiceType::kInvoice);
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
  EXPECT_EQ(lines.message(with(kLine, ":6", R"(:"1,5")")),
            R"(Quantity: "1,5" is not a decimal number like -12.50; input.decimal and )"
            R"(input.thousands say which marks numbers have)");
  EXPECT_EQ(lines.message(with(kLine, "2.55", R"("1\u0001)" + std::string(100, 'x') + '"')),
            R"(UnitPrice: "1\x01)" + std::string(38, 'x') +
                R"(..." is not a decimal number like -12.50)");
  for (const std::string_view value :
       {"1e-30", R"("1e3")", "true", "{}", "[6]", R"("1,5")", R"(" 6")", R"("0x6")", R"("NaN")"}) {
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

}  // namespace
}  // namespace rfm
