#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/stream/decode/decoding.h"

namespace rfm {
namespace {

using std::string_literals::operator""s;

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

// Goal: a record that looks like the last ones means what it means on its own.
TEST(Json, WhatWasReadBeforeDoesNotMatter) {
  const std::string spaced = R"( {"InvoiceNo" : "536365" , "Quantity": 6,"Description":null,)"
                             R"("InvoiceDate":"2010-12-01T08:26:00Z", "UnitPrice":2.55 , "x":"" })";
  Decoding after_many(InputFormat::kLines);
  for (const std::string& record : {std::string(kLine), spaced}) {
    // So many that its shape is learned in the second round too.
    for (int i = 0; i < 20; ++i) EXPECT_EQ(after_many.reason(record), "accepted");
    std::vector<std::string> variations = {with(record, "536365", "5363\\u0036"),
                                           with(record, "536365", "C536365"),
                                           with(record, "536365", "53\t"),
                                           with(record, "536365", "\xc3\xa4"),
                                           with(record, "536365", "\xc3"),
                                           with(record, "536365", ""),
                                           with(record, "\"536365\"", "null"),
                                           with(record, "\"536365\"", "536365"),
                                           with(record, "\"536365\"", "nul"),
                                           with(record, "\"536365\"", "true"),
                                           with(record, ":2.55", ":-2.550"),
                                           with(record, ":2.55", ":2.55e1"),
                                           with(record, ":2.55", ":02.55"),
                                           with(record, ":2.55", ":2."),
                                           with(record, ":2.55", ":-"),
                                           with(record, ":2.55", ":\"2.55\""),
                                           with(record, ":2.55", ":[2.55]"),
                                           with(record, ":2.55", ":"),
                                           with(record, "Quantity", "quantity"),
                                           with(record, "Quantity", "UnitPrice"),
                                           with(record, "}", "} "),
                                           with(record, "}", ",\"currency\":\"USD\"}"),
                                           record + "}"};
    for (std::size_t size = 0; size < record.size(); ++size)
      variations.push_back(record.substr(0, size));
    for (const std::string& variation : variations) {
      EXPECT_EQ(after_many.reason(record), "accepted");
      Decoding alone(InputFormat::kLines);
      EXPECT_EQ(content(after_many.decode(variation)), content(alone.decode(variation)))
          << variation;
    }
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
  EXPECT_EQ(lines.reason(with(kLine, "{", R"({"note":"used by nobody","note":1,)")), "accepted");
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
      R"({"type":"invoice","invoice_time":"2010-12-01T08:26:00Z","currency":"GBP",)"
      R"("order":{"note":{"id":9},"items":[)"
      R"({"price":{"amount":2.5,"tax":1},"count":2}],"id":77,)"
      R"("buyer":[{"x":1,"id/no":"b\u0031"},{"id/no":"b2"}]}})";
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
       {"order", "/a~2", "/a~", "/a\"b", "/a\\b", "/a/*/b", "/lines/0/x"}) {
    EXPECT_EQ(check(pointer).code(), absl::StatusCode::kInvalidArgument) << pointer;
  }
}

}  // namespace
}  // namespace rfm
