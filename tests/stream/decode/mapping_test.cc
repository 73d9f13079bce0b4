// Goal: records of other producers mean what they say, by settings alone.
#include "stream/decode/mapping.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/stream/decode/decoding.h"

namespace rfm {
namespace {

DecoderOptions invoices() {
  return {.format = InputFormat::kInvoices, .keys = KeyPolicy::kIfPresent};
}

TEST(FieldSource, IsPointersAndAConstant) {
  const FieldSource source = *parse_field_source("/a/b, /c,/d e,f, =GBP, 1");
  EXPECT_EQ(source.pointers, (std::vector<std::string>{"/a/b", "/c", "/d e,f"}));
  EXPECT_EQ(source.constant, "GBP, 1");
  EXPECT_EQ(parse_field_source("=")->constant, "");
  EXPECT_TRUE(parse_field_source("")->pointers.empty());
  for (const std::string_view text : {"a", "/a~2", "a, /b"})
    EXPECT_FALSE(parse_field_source(text).ok()) << text;
}

TEST(TypeRules, AreReadAndRefusedWithThePlace) {
  const std::vector<TypeRule> rules = *parse_type_rules(
      R"(ignore if /test, void if !/paid, credit if /kind = refund | "a, \"b\"", )"
      "invoice if /x != 1");
  ASSERT_EQ(rules.size(), 4U);
  EXPECT_EQ(rules[0].type, RecordType::kIgnore);
  EXPECT_EQ(rules[0].test, TypeRule::Test::kHolds);
  EXPECT_EQ(rules[1].test, TypeRule::Test::kHoldsNot);
  EXPECT_EQ(rules[1].pointer, "/paid");
  EXPECT_EQ(rules[2].values, (std::vector<std::string>{"refund", R"(a, "b")"}));
  EXPECT_EQ(rules[3].test, TypeRule::Test::kDiffers);
  EXPECT_TRUE(parse_type_rules("")->empty());
  for (const std::string_view text : {"order", "invoice when /a", "invoice if", "invoice if a",
                                      "invoice if /a =", "invoice if !/a = 1", "invoice credit",
                                      "invoice if /a = \"x", "invoice if /a = x | "})
    EXPECT_FALSE(parse_type_rules(text).ok()) << text;
}

TEST(Mapping, TakesTheFirstPlaceThatHoldsSomething) {
  DecoderOptions options = invoices();
  options.fields.country = "/shipping/country, /billing/country, =Nowhere";
  options.fields.currency = "=GBP";
  Decoding decoding(options);
  const auto country = [&](std::string_view more) {
    const std::string value =
        with(with(kInvoice, R"("currency":"GBP",)", ""), "{", "{" + std::string(more));
    return std::string(decoding.invoice(value).country);
  };
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(country(R"("billing":{"country":"B"},"shipping":{"country":"S"},)"), "S");
    EXPECT_EQ(country(R"("billing":{"country":"B"},"shipping":{"country":""},)"), "B");
    EXPECT_EQ(country(R"("billing":{"country":"B"},"shipping":null,)"), "B");
    EXPECT_EQ(country(R"("billing":7,)"), "Nowhere");
  }
}

TEST(Mapping, FieldsMayShareAPlaceOrLieInOneAnother) {
  DecoderOptions options = invoices();
  options.fields.event_id = "/invoice_no";
  options.fields.customer_id = "/customer/id, /customer";
  Decoding decoding(options);
  EXPECT_EQ(decoding.invoice(with(kInvoice, "customer_id\":\"17850\"", "customer\":7")).customer_id,
            "7");
  const InvoiceEvent invoice =
      decoding.invoice(with(kInvoice, "customer_id\":\"17850\"", R"(customer":{"id":8})"));
  EXPECT_EQ(invoice.customer_id, "8");
  EXPECT_EQ(invoice.event_id, "536365");
}

TEST(Mapping, RulesSayWhatARecordIs) {
  DecoderOptions options = invoices();
  options.types =
      "ignore if /test, void if /state = off | gone, credit if /kind = back, invoice "
      "if /kind = sale";
  Decoding decoding(options);
  const auto record = [](std::string_view more) {
    return with(with(kInvoice, R"("type":"invoice",)", ""), "{", "{" + std::string(more));
  };
  EXPECT_EQ(content(decoding.decode(record(R"("test":true,)"))), "5: unrelated");
  EXPECT_EQ(decoding.invoice(record(R"("test":false,"kind":"sale",)")).type, InvoiceType::kInvoice);
  EXPECT_EQ(decoding.invoice(record(R"("kind":"back",)")).type, InvoiceType::kCredit);
  const InvoiceEvent off = decoding.invoice(record(R"("state":"gone",)"));
  EXPECT_TRUE(off.is_void);
  EXPECT_EQ(off.amount, Money{});
  EXPECT_EQ(decoding.message(record("")), "type: no rule of input.types fits the record");
}

TEST(Mapping, NumbersStandForTimesWhereTheUnitIsSaid) {
  const auto time = [](EpochUnit unit, std::string_view number) {
    DecoderOptions options = invoices();
    options.epoch = unit;
    Decoding decoding(options);
    return to_ms(
        decoding.invoice(with(kInvoice, R"("2010-12-01T08:26:00Z")", number)).invoice_time);
  };
  constexpr std::int64_t kMs = 1'704'103'200'123;
  EXPECT_EQ(time(EpochUnit::kMilliseconds, "1704103200123"), kMs);
  EXPECT_EQ(time(EpochUnit::kMilliseconds, R"("1704103200123")"), kMs);
  EXPECT_EQ(time(EpochUnit::kMilliseconds, "1.704103200123E12"), kMs);
  EXPECT_EQ(time(EpochUnit::kMilliseconds, R"("2024-01-01T10:00:00.123Z")"), kMs);
  EXPECT_EQ(time(EpochUnit::kSeconds, "1704103200.1239"), kMs);
  EXPECT_EQ(time(EpochUnit::kMicroseconds, "1704103200123999"), kMs);
  EXPECT_EQ(time(EpochUnit::kNanoseconds, "1704103200123999999"), kMs);
  Decoding plain(invoices());
  EXPECT_EQ(plain.message(with(kInvoice, R"("2010-12-01T08:26:00Z")", "1704103200")),
            R"(invoice_time: "1704103200" is not a time like "2010-12-01T08:26:00Z"; if it counts )"
            "from 1970, set input.epoch");
}

TEST(Mapping, ARevisionIsANumberOrATime) {
  Decoding decoding(invoices());
  const auto revision = [&](std::string_view value) {
    return decoding.invoice(with(kInvoice, "{", "{\"revision\":" + std::string(value) + ","))
        .revision;
  };
  EXPECT_EQ(revision("3"), 3);
  EXPECT_EQ(revision(R"("20240503")"), 20'240'503);
  EXPECT_EQ(revision("1.7145576E12"), 1'714'557'600'000);
  EXPECT_EQ(revision(R"("2024-05-01T10:00:00Z")"), 1'714'557'600'000);
  EXPECT_EQ(revision(R"("2024-05-01T12:00:00+0200")"), 1'714'557'600'000);
  EXPECT_EQ(revision("null"), 0);
  for (const std::string_view value : {"1.5", "-1", R"("v2")", "true"})
    EXPECT_EQ(decoding.reason(with(kInvoice, "{", "{\"revision\":" + std::string(value) + ",")),
              "invalid_field")
        << value;
}

TEST(Mapping, RefundsAreTakenOffTheTotal) {
  DecoderOptions options = invoices();
  options.fields.net_total = "/net";
  options.fields.refunded = "/refunds/*/total, /refunds/*/parts/*/amount";
  Decoding decoding(options);
  const auto event = [&](std::string_view more) {
    return decoding.invoice(with(kInvoice, "{", "{\"total\":\"20.00\"," + std::string(more)));
  };
  EXPECT_EQ(event("").amount, (Money{200'000}));
  EXPECT_EQ(event(R"("refunds":[],)").amount, (Money{200'000}));
  EXPECT_EQ(event(R"("refunds":[{"total":"-2.50"},{"total":null},{"total":1}],)").amount,
            (Money{165'000}));
  EXPECT_EQ(event(R"("refunds":[{"parts":[{"amount":"3"},{"amount":"4"}]}],)").amount,
            (Money{130'000}));
  EXPECT_FALSE(event(R"("refunds":[{"total":"19.99"}],)").is_void);
  EXPECT_TRUE(event(R"("refunds":[{"total":"20.00"}],)").is_void);
  EXPECT_TRUE(event(R"("refunds":[{"total":"21.00"}],)").is_void);
  EXPECT_EQ(event(R"("net":"15.00","refunds":[{"total":"5"}],)").amount, (Money{150'000}));
  EXPECT_TRUE(event(R"("net":"0.00",)").is_void);
  EXPECT_EQ(decoding.reason(with(kInvoice, "{", R"({"total":1,"refunds":[{"total":"x"}],)")),
            "invalid_field");
  // After all these, one without refunds has none.
  EXPECT_EQ(event("").amount, (Money{200'000}));
}

TEST(Mapping, AnOrderOfNothingIsNotVoid) {
  DecoderOptions options = invoices();
  options.fields.net_total = "/net";
  Decoding decoding(options);
  EXPECT_FALSE(decoding.invoice(with(kInvoice, "{", R"({"total":"0.00","net":"0.00",)")).is_void);
  EXPECT_FALSE(decoding.invoice(with(kInvoice, "{", R"({"total":"0.00",)")).is_void);
}

TEST(Mapping, CreditsMayHaveANumberOfTheirOwn) {
  DecoderOptions options = invoices();
  options.fields.credit_no = "/message";
  options.fields.original_invoice_no = "/invoice_no";
  options.types = "credit if /refund, invoice";
  Decoding decoding(options);
  const std::string sale = with(kInvoice, "{", R"({"message":"m1",)");
  EXPECT_EQ(decoding.invoice(sale).invoice_no, "536365");
  EXPECT_EQ(decoding.invoice(sale).original_invoice_no, "");
  const std::string refund = with(sale, "{", R"({"refund":true,)");
  EXPECT_EQ(decoding.invoice(refund).invoice_no, "m1");
  EXPECT_EQ(decoding.invoice(refund).original_invoice_no, "536365");
  // A refund that names no amount is of all.
  const InvoiceEvent whole = decoding.invoice(with(refund, "\"lines\"", "\"rows\""));
  EXPECT_TRUE(whole.is_void);
  EXPECT_EQ(whole.invoice_no, "536365");
  EXPECT_EQ(whole.type, InvoiceType::kInvoice);
}

TEST(Mapping, SomeIdsAreNobody) {
  DecoderOptions options = invoices();
  options.anonymous = "0, guest";
  Decoding decoding(options);
  for (const std::string_view id : {"0", R"("0")", R"("guest")", R"("")", "null"}) {
    EXPECT_TRUE(
        std::holds_alternative<AnonymousSale>(decoding.decode(with(kInvoice, R"("17850")", id))))
        << id;
  }
  EXPECT_EQ(decoding.invoice(with(kInvoice, R"("17850")", "9000000000000007001")).customer_id,
            "9000000000000007001");
}

TEST(Mapping, WithAnyKeyANullValueIsIgnored) {
  DecoderOptions options = invoices();
  options.key_rule = KeyRule::kAny;
  Decoding decoding(options);
  EXPECT_EQ(content(decoding.decode(std::nullopt, "{\"id\":1}")), "5: null_value");
  EXPECT_EQ(content(decoding.decode(" null\n", std::nullopt)), "5: null_value");
  EXPECT_EQ(decoding.reason("nul"), "malformed");
  EXPECT_EQ(decoding.reason(std::string(kInvoice), "other"), "accepted");
  EXPECT_TRUE(Decoder::check_partitions(options, 1).ok());
  EXPECT_FALSE(Decoder::check_partitions(options, 2).ok());
  EXPECT_TRUE(Decoder::check_partitions(invoices(), 2).ok());
}

TEST(Mapping, Base64DecimalsAreRefusedByName) {
  Decoding decoding(invoices());
  const std::string message = decoding.message(with(kInvoice, "{", R"({"total":"BN4=",)"));
  EXPECT_NE(message.find("base64"), std::string::npos) << message;
}

TEST(Mapping, WhatIsNoTextIsNamed) {
  using std::string_literals::operator""s;
  Decoding decoding(invoices());
  for (const auto& [value, word] : {std::pair{"\0\0\0\0\1\x02xyz"s, "0x00 and a schema id"},
                                    std::pair{"\xff\xfe{\0}\0"s, "UTF-16 byte-order mark"},
                                    std::pair{"\xfe\xff\0{\0}"s, "UTF-16 byte-order mark"},
                                    std::pair{"\x1f\x8b\x08rest"s, "gzip"},
                                    std::pair{"\xef\xbb\xbf{}"s, "UTF-8 byte-order mark"}}) {
    EXPECT_EQ(decoding.reason(value), "malformed");
    EXPECT_NE(decoding.message(value).find(word), std::string::npos) << decoding.message(value);
  }
}

TEST(Mapping, ALongCountryIsCutAtACharacter) {
  Decoding decoding(invoices());
  std::string country(127, 'x');
  EXPECT_EQ(decoding.invoice(with(kInvoice, "United Kingdom", country + "y")).country,
            country + "y");
  EXPECT_EQ(decoding.invoice(with(kInvoice, "United Kingdom", country + "\xc3\xa4z")).country,
            country);
}

}  // namespace
}  // namespace rfm
