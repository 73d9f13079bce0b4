#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "tests/stream/decode/decoding.h"

namespace rfm {
namespace {

using std::string_literals::operator""s;

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
  EXPECT_EQ(amount(R"([{"quantity":1,"unit_price":922337203685477},)"
                   R"({"quantity":1,"unit_price":922337203685477},)"
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

TEST(DeadLetterReasons, HaveNames) {
  for (int i = 0; i < kDeadLetterReasonCount; ++i)
    EXPECT_NE(name(static_cast<DeadLetterReason>(i)), "");
  EXPECT_EQ(name(DeadLetterReason::kOversized), "oversized");
}

}  // namespace
}  // namespace rfm
