// Goal: what is published of a customer follows from the customer's own records and instants.
// Method: small histories through the whole pipeline over memory; values, current segments and
// transitions are read off what it published and stored.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "state/hashes.h"
#include "state/row_codec.h"
#include "stream/text/time_text.h"
#include "tests/fake/memory_pipeline.h"
#include "tests/golden/golden_file.h"

namespace rfm {
namespace {

// The event of one invoice or credit; `more` are further members of the JSON object.
MemoryRecord event(const std::string& type, const std::string& customer, const std::string& number,
                   const std::string& time, const std::string& total,
                   const std::string& more = {}) {
  const std::optional<EventTime> at = TimeReader(std::chrono::minutes{0}).read(time);
  EXPECT_TRUE(at) << time;
  return {.key = customer,
          .value = fmt::format(R"({{"type":"{}","invoice_no":"{}","customer_id":"{}",)"
                               R"("invoice_time":"{}","currency":"GBP","total":"{}"{}}})",
                               type, number, customer, time, total, more),
          .received_ms = to_ms(at.value_or(EventTime{})) + 5'000};
}

struct History {
  std::vector<MemoryRecord> records;
  std::optional<std::string> until{};
  Rules rules{};
  InputFormat format = InputFormat::kInvoices;
};

PipelineOutput published(const History& history) {
  MemoryWorld world({history.records});
  PipelineOptions options;
  options.rules = history.rules;
  options.decoder.format = history.format;
  MemoryPipeline pipeline(world, options);
  EXPECT_TRUE(pipeline.restore().ok());
  const absl::Status ran = pipeline.run_to_end(
      history.until ? TimeReader(std::chrono::minutes{0}).read(*history.until) : std::nullopt);
  EXPECT_TRUE(ran.ok()) << ran;
  return output_of(world);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(CustomerHistory, ATransitionHasTheConsentOfItsOwnInstant) {
  const MemoryRecord first =
      event("invoice", "a", "I1", "2024-01-01T00:00:00Z", "200", R"(,"consent":true)");
  const MemoryRecord second =
      event("invoice", "a", "I2", "2024-03-01T00:00:30Z", "200", R"(,"consent":false)");
  const MemoryRecord other = event("invoice", "b", "I3", "2024-03-01T00:01:01Z", "200");
  // The customer's own event moves the clock past the instant, or another customer's does.
  const PipelineOutput own = published({.records = {first, second, other}});
  const PipelineOutput others = published({.records = {first, other, second}});
  ASSERT_EQ(own.transitions.at("a").size(), 5U);
  const std::string& silent = own.transitions.at("a")[3];
  EXPECT_TRUE(contains(silent, R"("effective_at":"2024-03-01T00:00:00.001Z")")) << silent;
  EXPECT_TRUE(contains(silent, R"("consent":true)")) << silent;
  EXPECT_TRUE(contains(silent, R"("actionable":true)")) << silent;
  EXPECT_TRUE(contains(own.transitions.at("a")[4], R"("suppressed_by":"consent")"));
  EXPECT_EQ(silent, others.transitions.at("a")[3]);
}

TEST(CustomerHistory, CurrentSegmentsAreAsOfTheCustomersOwnLastChange) {
  const MemoryRecord first = event("invoice", "a", "I1", "2024-01-01T00:00:00Z", "10");
  // Moves the clock past a change by time, and changes no segment itself.
  const MemoryRecord credit = event("credit", "a", "C1", "2024-01-31T00:00:30Z", "1");
  const MemoryRecord other = event("invoice", "b", "I3", "2024-01-31T00:01:01Z", "10");
  const PipelineOutput own = published({.records = {first, credit, other}});
  const PipelineOutput others = published({.records = {first, other, credit}});
  EXPECT_TRUE(contains(own.segments.at("a"), R"("as_of":"2024-01-31T00:00:00.001Z")"))
      << own.segments.at("a");
  EXPECT_EQ(own.segments.at("a"), others.segments.at("a"));
}

// What is stored of a customer at the end.
CustomerRow stored(const PipelineOutput& output, const std::string& customer, const Rules& rules) {
  absl::StatusOr<CustomerRow> row =
      decode_row(customer, output.rows.at(customer), {rules, ModelTimeline{}});
  EXPECT_TRUE(row.ok()) << row.status();
  return row.ok() ? *std::move(row) : CustomerRow{};
}

Money monetary(const CustomerRow& row) {
  return row.ledger.sums().purchases - row.ledger.sums().credits;
}

Rules with_window(int days) {
  Rules rules;
  rules.window = std::chrono::hours{24 * days};
  return rules;
}

TEST(CustomerHistory, ANamedCreditLeavesTheWindowWithItsSale) {
  const Rules rules = with_window(30);
  const auto history = [&](const std::string& credit_time, const std::string& sale_time) {
    std::vector<MemoryRecord> records = {
        event("invoice", "a", "I1", sale_time, "100"),
        event("credit", "a", "C1", credit_time, "100", R"(,"original_invoice_no":"I1")")};
    if (credit_time < sale_time) std::swap(records[0], records[1]);
    records.push_back(event("invoice", "a", "I2", "2024-01-22T00:00:00Z", "500"));
    return published({.records = records, .until = "2024-02-05T00:00:00Z", .rules = rules});
  };
  for (const auto& [credit_time, sale_time] :
       {std::pair("2024-01-21T00:00:00Z", "2024-01-01T00:00:00Z"),
        std::pair("2024-01-01T00:00:00Z", "2024-01-21T00:00:00Z")}) {
    const CustomerRow row = stored(history(credit_time, sale_time), "a", rules);
    EXPECT_EQ(monetary(row), Money{5'000'000});
    EXPECT_EQ(row.ledger.sums().frequency, 1U);
  }
}

TEST(CustomerHistory, TheNextChangeIsThatAnInvoiceLeavesTheWindow) {
  const PipelineOutput output =
      published({.records = {event("invoice", "a", "I1", "2024-01-01T00:00:00Z", "100")},
                 .until = "2024-01-12T00:00:00Z",
                 .rules = with_window(10)});
  const std::vector<std::string>& lines = output.transitions.at("a");
  ASSERT_EQ(lines.size(), 6U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(
        contains(lines[i], R"("if_silent":{"segment":"none","at":"2024-01-11T00:00:00.001Z"})"))
        << lines[i];
    EXPECT_TRUE(contains(lines[i + 3], R"("effective_at":"2024-01-11T00:00:00.001Z")"));
    EXPECT_TRUE(contains(lines[i + 3], R"("to":"none")"));
    EXPECT_FALSE(contains(lines[i + 3], "if_silent"));
  }
}

TEST(CustomerHistory, WithAWindowTheNextSegmentIsForeseenToo) {
  const PipelineOutput output =
      published({.records = {event("invoice", "a", "I1", "2024-01-01T00:00:00Z", "100"),
                             event("invoice", "a", "I2", "2024-01-10T00:00:00Z", "100")},
                 .until = "2024-03-09T00:00:00Z",
                 .rules = with_window(40)});
  std::string foreseen;
  for (const std::string& line : output.transitions.at("a")) {
    if (!contains(line, R"("segmentation":"rfm")")) continue;
    EXPECT_TRUE(foreseen.empty() || contains(line, foreseen) ||
                contains(line, R"("reason":"purchase")"))
        << line;
    const std::size_t next = line.find(R"("if_silent":{"segment":")");
    if (next == std::string::npos) continue;
    const std::size_t name = line.find(R"(":")", next) + 3;
    foreseen = R"("to":")" + line.substr(name, line.find('"', name) - name + 1);
  }
  EXPECT_EQ(foreseen, R"("to":"none")");
}

std::string field(const std::string& line, const std::string& name) {
  const std::string key = "\"" + name + "\":\"";
  const std::size_t begin = line.find(key) + key.size();
  return line.substr(begin, line.find('"', begin) - begin);
}

// "segment reason" of each transition of customer `a` in the segmentation `rfm`.
std::vector<std::string> moves(const PipelineOutput& output) {
  std::vector<std::string> found;
  for (const std::string& line : output.transitions.at("a"))
    if (contains(line, R"("segmentation":"rfm")"))
      found.push_back(field(line, "to") + " " + field(line, "reason"));
  return found;
}

using Moves = std::vector<std::string>;

TEST(Returns, ANamedCreditInFullTakesThePurchaseBackAndTheNextOneIsNewAgain) {
  const PipelineOutput output =
      published({.records = {event("invoice", "a", "I1", "2024-01-01T00:00:00Z", "100"),
                             event("credit", "a", "C1", "2024-01-02T00:00:00Z", "100",
                                   R"(,"original_invoice_no":"I1")"),
                             event("invoice", "a", "I2", "2024-01-03T00:00:00Z", "50")}});
  EXPECT_EQ(moves(output), (Moves{"New purchase", "none return", "New purchase"}));
  EXPECT_EQ(stored(output, "a", {}).ledger.sums().frequency, 1U);
}

// Three purchases, of which the last one makes the spend.
std::vector<MemoryRecord> three_purchases() {
  return {event("invoice", "a", "I1", "2024-01-01T00:00:00Z", "10"),
          event("invoice", "a", "I2", "2024-01-02T00:00:00Z", "10"),
          event("invoice", "a", "I3", "2024-01-03T00:00:00Z", "2000")};
}

TEST(Returns, ANamedCreditInPartLowersTheSpendOnly) {
  std::vector<MemoryRecord> records = three_purchases();
  records.push_back(event("credit", "a", "C1", "2024-01-04T00:00:00Z", "1999.99",
                          R"(,"original_invoice_no":"I3")"));
  const PipelineOutput output = published({.records = records});
  EXPECT_EQ(moves(output), (Moves{"New purchase", "Potential Loyalist purchase",
                                  "Champions purchase", "Potential Loyalist return"}));
  const CustomerRow row = stored(output, "a", {});
  EXPECT_EQ(row.ledger.sums().frequency, 3U);
  EXPECT_EQ(monetary(row), Money{200'100});
}

TEST(Returns, ACreditBeforeItsSaleIsTheSameAsAfterIt) {
  for (const std::string amount : {"100", "40"}) {
    const MemoryRecord sale = event("invoice", "a", "I1", "2024-01-01T00:00:00Z", "100");
    const MemoryRecord credit = event("credit", "a", "C1", "2024-01-02T00:00:00Z", amount,
                                      R"(,"original_invoice_no":"I1")");
    const MemoryRecord other = event("invoice", "b", "I2", "2024-01-03T00:00:00Z", "1");
    const PipelineOutput after = published({.records = {sale, credit, other}});
    const PipelineOutput before = published({.records = {credit, sale, other}});
    const CustomerRow expected = stored(after, "a", {});
    const CustomerRow found = stored(before, "a", {});
    EXPECT_EQ(found.ledger.sums(), expected.ledger.sums());
    for (std::size_t s = 0; s < expected.segments.size(); ++s)
      EXPECT_EQ(found.segments[s].segment, expected.segments[s].segment);
    EXPECT_EQ(before.transitions.contains("a"), amount == "40")
        << "a sale that is given back already is none";
  }
}

TEST(Returns, ACreditOfASaleThatHasLeftTheWindowChangesNothing) {
  const Rules rules = with_window(30);
  const auto run = [&](bool credited) {
    std::vector<MemoryRecord> records = {
        event("invoice", "a", "I1", "2024-01-01T00:00:00Z", "900"),
        event("invoice", "a", "I2", "2024-01-20T00:00:00Z", "100")};
    if (credited)
      records.push_back(event("credit", "a", "C1", "2024-02-05T00:00:00Z", "900",
                              R"(,"original_invoice_no":"I1")"));
    return published({.records = records, .until = "2024-02-06T00:00:00Z", .rules = rules});
  };
  const PipelineOutput output = run(true);
  EXPECT_EQ(output.transitions, run(false).transitions);
  EXPECT_EQ(output.counters.applied, 3U);
  EXPECT_EQ(monetary(stored(output, "a", rules)), Money{1'000'000});
}

TEST(Returns, WhoGivesEverythingBackIsInNoSegmentUntilHeBuys) {
  std::vector<MemoryRecord> records;
  for (const char n : {'1', '2', '3'})
    records.push_back(event("invoice", "a", std::string("I") + n,
                            std::string("2024-01-0") + n + "T00:00:00Z", "300"));
  for (const char n : {'3', '1', '2'})
    records.push_back(event("credit", "a", std::string("C") + n,
                            std::string("2024-01-1") + n + "T00:00:00Z", "300",
                            R"(,"original_invoice_no":"I)" + std::string(1, n) + "\""));
  std::ranges::sort(records, {}, &MemoryRecord::received_ms);
  const PipelineOutput output = published({.records = records});
  EXPECT_EQ(moves(output).back(), "none return");
  const std::string& last = output.transitions.at("a").back();
  EXPECT_TRUE(contains(last, R"("from":{"segment":"New")")) << last;
  const CustomerRow row = stored(output, "a", {});
  EXPECT_EQ(row.ledger.sums().frequency, 0U);
  EXPECT_EQ(monetary(row), Money{});
}

TEST(Returns, MoreGivenBackThanBoughtCountsAsNothingSpent) {
  std::vector<MemoryRecord> records = three_purchases();
  records.push_back(event("credit", "a", "C1", "2024-01-04T00:00:00Z", "2045.25"));
  const PipelineOutput output = published({.records = records});
  EXPECT_EQ(moves(output).back(), "Potential Loyalist return");
  const std::string& last = output.transitions.at("a").back();
  EXPECT_TRUE(contains(last, R"("monetary":"-25.25")")) << last;
  EXPECT_EQ(stored(output, "a", {}).feature_m, 0) << "of nothing";
}

TEST(CustomerHistory, ARefundMayBearTheNumberOfItsOrder) {
  for (const std::string time : {"2024-05-03T10:00:00Z", "2024-05-01T10:00:00Z"}) {
    for (const std::string more : {"", R"(,"original_invoice_no":"1001")"}) {
      const MemoryRecord order = event("invoice", "c1", "1001", "2024-05-01T10:00:00Z", "403.00");
      const MemoryRecord refund = event("credit", "c1", "1001", time, "100.00", more);
      for (const bool order_first : {true, false}) {
        const PipelineOutput output =
            published({.records = {order_first ? order : refund, order_first ? refund : order}});
        const CustomerRow row = stored(output, "c1", {});
        EXPECT_EQ(row.ledger.sums().frequency, 1U);
        EXPECT_EQ(monetary(row), Money{3'030'000});
      }
    }
  }
}

TEST(CustomerHistory, TheSumOfAnInvoiceDoesNotDependOnTheOrderOfItsLines) {
  const auto line = [](const std::string& number, const std::string& quantity,
                       const std::string& price, const std::string& minute) {
    return MemoryRecord{.key = "4",
                        .value = fmt::format("{},x,x,{},2024-01-01 10:{}:00,{},4,UK", number,
                                             quantity, minute, price),
                        .received_ms = 1'800'000'000'000};
  };
  std::vector<MemoryRecord> lines = {line("I1", "-3", "10", "00"), line("I2", "1", "5", "01"),
                                     line("I1", "10", "10", "00")};
  std::vector<std::size_t> order = {0, 1, 2};
  do {
    const PipelineOutput output =
        published({.records = {lines[order[0]], lines[order[1]], lines[order[2]]},
                   .format = InputFormat::kCsv});
    const CustomerRow row = stored(output, "4", {});
    EXPECT_EQ(monetary(row), Money{750'000});
    EXPECT_EQ(row.ledger.sums().frequency, 2U);
    EXPECT_TRUE(output.dead_letters.empty());
  } while (std::ranges::next_permutation(order).found);
}

TEST(CustomerHistory, NoCountryDoesNotReplaceACountry) {
  const MemoryRecord first =
      event("invoice", "a", "I1", "2024-01-01T00:00:00Z", "10", R"(,"country":"France")");
  for (const std::string time : {"2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"}) {
    const MemoryRecord second = event("invoice", "a", "I2", time, "10", R"(,"country":"")");
    EXPECT_EQ(stored(published({.records = {first, second}}), "a", {}).country, "France") << time;
  }
}

TEST(CustomerHistory, WhatIsNobodysIsJudgedByItsTime) {
  const MemoryRecord first = event("invoice", "a", "I1", "2024-01-01T00:00:00Z", "10");
  MemoryRecord early = event("invoice", "", "I2", "2022-01-01T00:00:00Z", "10");
  MemoryRecord future = event("invoice", "", "I3", "2024-01-03T00:00:00Z", "10");
  future.received_ms = first.received_ms;
  early.key = future.key = std::nullopt;
  const OutcomeCounters counters = published({.records = {first, early, future}}).counters;
  EXPECT_EQ(counters.ignored_total(), 0U);
  for (const DeadLetterReason reason :
       {DeadLetterReason::kBeyondHorizon, DeadLetterReason::kFutureEventTime})
    EXPECT_EQ(counters.dead_lettered[static_cast<std::size_t>(reason)], 1U) << name(reason);
}

// So that an open invoice fits into a record of the changelog, whatever its lines.
TEST(CustomerHistory, OfAnInvoicesLinesTheFirstIdsAreRemembered) {
  const auto line = [](std::size_t id) {
    return MemoryRecord{
        .key = "4",
        .value = fmt::format(R"({{"event_id":"e{}","InvoiceNo":"1","Quantity":1,"UnitPrice":1,)"
                             R"("InvoiceDate":"2024-01-01T00:00:00Z","CustomerID":"4"}})",
                             id),
        .received_ms = 1'704'067'205'000};
  };
  History history{.records = {}, .format = InputFormat::kLines};
  for (std::size_t id = 0; id <= OpenInvoice::kEventIdsMax; ++id)
    history.records.push_back(line(id));
  history.records.push_back(line(OpenInvoice::kEventIdsMax - 1));
  history.records.push_back(line(OpenInvoice::kEventIdsMax));
  EXPECT_EQ(published(history).counters.duplicate, 1U);
}

// What each erasure removed, as published; the schema is held against it.
TEST(CustomerHistory, AnErasureLeavesAReceipt) {
  const auto tombstone = [](const std::string& key) {
    return MemoryRecord{.key = key, .value = std::nullopt, .received_ms = 1'704'067'205'000};
  };
  const MemoryRecord named =
      event("credit", "a", "C1", "2024-01-03T00:00:00Z", "4", R"(,"original_invoice_no":"I1")");
  const PipelineOutput output = published(
      {.records = {tombstone("early"), event("invoice", "a", "I1", "2024-01-01T00:00:00Z", "10"),
                   event("invoice", "b", "I2", "2024-01-02T00:00:00Z", "10"), named, tombstone("a"),
                   tombstone("a"), event("invoice", "a", "I3", "2024-01-04T00:00:00Z", "10"),
                   tombstone("a"), tombstone("nobody")}});
  EXPECT_EQ(output.counters.erased, 5U);
  std::string text;
  for (const std::string& receipt : output.receipts) {
    EXPECT_FALSE(contains(receipt, R"("a")")) << "not the id itself: " << receipt;
    text += receipt.substr(receipt.rfind('|') + 1) + "\n";
  }
  expect_golden("erasure_receipts.jsonl", text);
  EXPECT_EQ(output.rows.size(), 1U);
  EXPECT_EQ(output.segments.size(), 1U);
}

TEST(CustomerHistory, AnErasedCustomersIdsDoNotComeBack) {
  const MemoryRecord tombstone{.key = "a", .value = std::nullopt, .received_ms = 1'704'067'205'000};
  const PipelineOutput output =
      published({.records = {event("invoice", "a", "I1", "2024-01-01T00:00:00Z", "10"), tombstone,
                             event("invoice", "a", "I1", "2024-01-01T00:00:00Z", "5000")}});
  std::set<std::string> ids;
  for (const std::string& line : output.transitions.at("a"))
    ids.insert(line.substr(line.find("ce_id="), 38));
  EXPECT_EQ(output.transitions.at("a").size(), 9U);
  EXPECT_EQ(ids.size(), 9U);
}

}  // namespace
}  // namespace rfm
