// Goal: what shop systems and connectors write is read as it is, by settings alone: each customer
// has the purchases and the money that the shop would name.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "stream/app/export_command.h"
#include "stream/app/replay_command.h"
#include "tests/app/command_line.h"

namespace rfm {
namespace {

class InputMapping : public testing::Test {
 protected:
  // Each customer's "frequency monetary" after `records`, read with `settings`.
  std::string customers(std::string_view records, const std::vector<std::string>& settings,
                        const std::vector<std::string>& options = {}) {
    ++runs_;
    const std::string input = directory_.file(fmt::format("in{}.jsonl", runs_));
    const std::string state = directory_.file(fmt::format("state{}", runs_));
    output_ = directory_.file(fmt::format("out{}", runs_));
    std::ofstream(input) << records;
    std::vector<std::string> replay = {
        "replay",   "--input", input,       "--state", state,
        "--output", output_,   "--summary", "--until", "2024-06-01T00:00:00Z"};
    replay.insert(replay.end(), options.begin(), options.end());
    std::vector<std::string> exported = {"export", "customers", "--state", state};
    for (const std::string& setting : settings) {
      for (std::vector<std::string>* command : {&replay, &exported})
        command->insert(command->end(), {"--set", setting});
    }
    testing::internal::CaptureStdout();
    const absl::Status replayed = run_command(add_replay_command, replay);
    summary_ = testing::internal::GetCapturedStdout();
    EXPECT_TRUE(replayed.ok()) << replayed;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const absl::Status shown = run_command(add_export_command, exported);
    std::istringstream table(testing::internal::GetCapturedStdout());
    testing::internal::GetCapturedStderr();
    EXPECT_TRUE(shown.ok()) << shown;
    std::string result;
    std::string line;
    std::getline(table, line);
    while (std::getline(table, line)) {
      std::vector<std::string> columns;
      std::istringstream row(line);
      for (std::string column; std::getline(row, column, ',');) columns.push_back(column);
      result += fmt::format("{}: {} {}\n", columns.at(0), columns.at(5), columns.at(6));
    }
    return result;
  }

  std::string dead_letters() const {
    std::ifstream file(output_ + "/dead-letters.jsonl");
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  // Of the summary: "ignored: no_customer", ...
  std::string count_of(std::string_view outcome) const {
    std::istringstream lines(summary_);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t at = line.find(outcome);
      if (at == std::string::npos) continue;
      std::istringstream rest(line.substr(at + outcome.size()));
      std::string count;
      rest >> count;
      return count;
    }
    return "0";
  }

  TestDirectory directory_;
  int runs_ = 0;
  std::string output_;
  std::string summary_;
};

std::string shopify_order(std::string_view id, std::string_view customer, std::string_view total,
                          std::string_view updated, std::string_view more = "") {
  return fmt::format(
      R"({{"id": {}, "created_at": "2024-05-01T10:00:00-04:00", "updated_at": "{}", "name": "#1", )"
      R"("currency": "GBP", "total_price": "{}", "financial_status": "paid", "customer": {}, )"
      R"("line_items": [{{"id": 1, "quantity": 1, "price": "1.00"}}]{}}})"
      "\n",
      id, updated, total, customer, more);
}

constexpr std::string_view kFirst = "2024-05-01T10:00:00-04:00";
constexpr std::string_view kLater = "2024-05-03T09:00:00-04:00";

TEST_F(InputMapping, ShopifyOrders) {
  const auto customer = [](int n) {
    return fmt::format(R"({{"id": 900000000000000700{}, "default_address": {{"country": "UK"}}}})",
                       n);
  };
  const std::string records =
      shopify_order("5000000000000000001", customer(1), "203.00", kLater) +
      shopify_order("5000000000000000001", customer(1), "403.00", kFirst) +
      shopify_order("5000000000000000002", "null", "90.00", kFirst) +
      shopify_order("5000000000000000003", customer(2), "10.00", kFirst) +
      shopify_order("5000000000000000003", customer(2), "10.00", kLater,
                    R"(, "cancelled_at": "2024-05-03T09:00:00-04:00")") +
      shopify_order("5000000000000000004", customer(3), "60.00", kFirst, R"(, "test": true)") +
      shopify_order("5000000000000000005", customer(4), "0.00", kFirst,
                    R"(, "test": false, "cancelled_at": null, "refunds": [])");
  EXPECT_EQ(customers(records, {"input.preset=shopify"}),
            "9000000000000007001: 1 203.0000\n9000000000000007004: 1 0.0000\n");
  EXPECT_EQ(dead_letters(), "");
  EXPECT_EQ(count_of("ignored: no_customer"), "1");
  EXPECT_EQ(count_of("ignored: unrelated"), "1");
  EXPECT_EQ(count_of("ignored: superseded"), "1");
}

TEST_F(InputMapping, ShopifyRefunds) {
  const std::string part =
      R"(, "note": "partially_refunded", "refunds": [{"id": 1, "transactions": )"
      R"([{"kind": "refund", "status": "success", "amount": "40.00"}]}, {"transactions": []}])";
  const std::string records =
      shopify_order("1", R"({"id": 1})", "100.00", kFirst) +
      shopify_order("1", R"({"id": 1})", "100.00", kLater, part) +
      shopify_order("2", R"({"id": 2})", "100.00", kLater,
                    part + R"(, "current_total_price": "55.00")") +
      shopify_order("3", R"({"id": 3})", "40.00", kFirst) +
      shopify_order("3", R"({"id": 3})", "40.00", kLater, part) +
      R"({"id": 929, "order_id": 1, "created_at": "2024-05-03T09:00:00-04:00", )"
      R"("refund_line_items": [{"id": 4}], "transactions": [{"amount": "40.00"}]})"
      "\n";
  EXPECT_EQ(customers(records, {"input.preset=shopify"}), "1: 1 60.0000\n2: 1 55.0000\n");
  EXPECT_EQ(dead_letters(), "");
}

std::string woo_order(int id, int customer, std::string_view status, std::string_view total,
                      std::string_view modified, std::string_view refunds = "") {
  return fmt::format(
      R"({{"id": {}, "status": "{}", "currency": "GBP", "date_created": "2024-03-22T16:28:02", )"
      R"("date_created_gmt": "2024-03-22T19:28:02", "date_modified_gmt": "{}", "total": "{}", )"
      R"("customer_id": {}, "billing": {{"country": "GB"}}, "line_items": [{{"quantity": 2, )"
      R"("price": 3.0000000000000004}}], "refunds": [{}]}})"
      "\n",
      id, status, modified, total, customer, refunds);
}

TEST_F(InputMapping, WooCommerceOrders) {
  const std::string now = "2024-03-22T19:28:02";
  const std::string later = "2024-03-23T08:00:00";
  const std::string records =
      woo_order(27, 26, "processing", "29.35", now) + woo_order(28, 0, "processing", "11.00", now) +
      woo_order(29, 0, "completed", "12.00", now) + woo_order(30, 31, "cancelled", "7.00", now) +
      woo_order(31, 32, "processing", "50.00", now) +
      woo_order(31, 32, "completed", "50.00", later,
                R"({"id": 5, "reason": "", "total": "-10.00"}, {"id": 6, "total": "-5.5"})") +
      woo_order(32, 33, "processing", "50.00", now) +
      woo_order(32, 33, "refunded", "50.00", later) + woo_order(33, 34, "pending", "5.00", now) +
      woo_order(33, 34, "completed", "5.00", later);
  EXPECT_EQ(customers(records, {"input.preset=woocommerce"}),
            "26: 1 29.3500\n32: 1 34.5000\n34: 1 5.0000\n");
  EXPECT_EQ(dead_letters(), "");
  EXPECT_EQ(count_of("ignored: no_customer"), "2");
}

std::string segment_call(std::string_view event, std::string_view user, int second,
                         std::string_view properties) {
  return fmt::format(
      R"({{"type": "track", "event": "{}", "userId": {}, "anonymousId": "a-1", "messageId": )"
      R"("m{}", "timestamp": "2024-03-22T16:28:{:02}.123Z", )"
      R"("properties": {{"currency": "GBP", {}}}}})"
      "\n",
      event, user, second, second, properties);
}

TEST_F(InputMapping, SegmentEvents) {
  const std::string user = R"("u-1")";
  const std::string records =
      segment_call("Order Completed", user, 1,
                   R"("order_id": "o-1", "total": 30, "revenue": 25.0)") +
      segment_call("Order Completed", user, 2,
                   R"("order_id": "o-2", "total": 30, "revenue": "25.00")") +
      segment_call("Order Completed", "null", 3, R"("order_id": "o-3", "revenue": 25.0)") +
      segment_call("Order Refunded", user, 4, R"("order_id": "o-2", "revenue": 25.0)") +
      segment_call("Product Viewed", user, 5, R"("order_id": "", "revenue": 0)") +
      segment_call("Order Completed", user, 6, R"("order_id": "o-4", "total": 1e1)") +
      segment_call("Order Refunded", user, 7,
                   R"("order_id": "o-4", "products": [{"price": 2.5, "quantity": 2}])") +
      segment_call("Order Refunded", user, 8, R"("order_id": "o-4", "products": [{"price": 1}])") +
      segment_call("Order Completed", user, 9, R"("order_id": "o-5", "total": 9)") +
      segment_call("Order Refunded", user, 10, R"("order_id": "o-5")") +
      segment_call("Order Completed", user, 11, R"("order_id": "o-6", "total": 9)") +
      segment_call("Order Cancelled", user, 12, R"("order_id": "o-6", "total": 9)") +
      R"({"type": "identify", "userId": "u-1", "traits": {}})"
      "\n";
  EXPECT_EQ(customers(records, {"input.preset=segment"}), "u-1: 2 29.0000\n");
  EXPECT_EQ(dead_letters(), "");
  EXPECT_EQ(count_of("ignored: no_customer"), "1");
  EXPECT_EQ(count_of("ignored: unrelated"), "2");
}

TEST_F(InputMapping, WhatIsSetHoldsOverThePreset) {
  const std::string record = segment_call("Order Completed", R"("u-1")", 1,
                                          R"("order_id": "o-1", "total": 30, "revenue": 25.0)");
  EXPECT_EQ(customers(record, {"input.preset=segment", "input.fields.total=/properties/total"}),
            "u-1: 1 30.0000\n");
}

TEST_F(InputMapping, DebeziumChanges) {
  const auto row = [](std::string_view time, std::string_view total) {
    return fmt::format(R"({{"type": "invoice", "invoice_no": "{}", "customer_id": "c1", )"
                       R"("invoice_time": {}, "currency": "GBP", "total": {}}})",
                       total.size(), time, total);
  };
  const auto change = [](std::string_view before, std::string_view after, char op, int ms) {
    return fmt::format(R"({{"before": {}, "after": {}, "op": "{}", "ts_ms": 17041032{:05}}})"
                       "\n",
                       before, after, op, ms);
  };
  const std::string iso = R"("2024-01-01T10:00:00Z")";
  const std::string first = row(iso, R"("12.50")");
  const std::string second = row("1704103200000", "7.5");
  const std::string records = change("null", first, 'c', 123) + change(first, "null", 'd', 456) +
                              "null\n" + change("null", second, 'r', 789) +
                              change("null", row(iso, R"("BN4=")"), 'c', 999);
  std::vector<std::string> settings = {
      "input.format=invoices", "input.key=any", "input.epoch=milliseconds",
      "input.types=void if /op = d, invoice", "input.fields.revision=/ts_ms"};
  for (const std::string field : {"invoice_no", "customer_id", "invoice_time", "currency", "total"})
    settings.push_back(fmt::format("input.fields.{0}=/after/{0}, /before/{0}", field));
  EXPECT_EQ(customers(records, settings), "c1: 1 7.5000\n");
  EXPECT_EQ(count_of("ignored: null_value"), "1");
  EXPECT_NE(dead_letters().find("base64"), std::string::npos);
  EXPECT_EQ(count_of("dead letter: invalid_field"), "1") << summary_;
}

TEST_F(InputMapping, ConnectEnvelopesAndExtendedJson) {
  std::vector<std::string> connect = {"input.format=invoices"};
  for (const std::string field :
       {"type", "invoice_no", "customer_id", "invoice_time", "currency", "total"})
    connect.push_back(fmt::format("input.fields.{0}=/payload/{0}", field));
  EXPECT_EQ(customers(R"({"schema": {"type": "struct", "fields": []}, "payload": {"type": )"
                      R"("invoice", "invoice_no": "1", "customer_id": "c1", "invoice_time": )"
                      R"("2024-01-01T10:00:00Z", "currency": "GBP", "total": "12.50"}})",
                      connect),
            "c1: 1 12.5000\n");
  EXPECT_EQ(
      customers(R"({"type":"invoice","invoice_no":"m1","customer_id":{"$oid":"65a1"},)"
                R"("invoice_time":{"$date":"2024-01-01T10:00:00Z"},"currency":"GBP",)"
                R"("total":{"$numberDecimal":"12.50"}})"
                "\n"
                R"({"type":"invoice","invoice_no":"m2","customer_id":{"$oid":"65a1"},)"
                R"("invoice_time":{"$date":{"$numberLong":"1704103200000"}},"currency":"GBP",)"
                R"("total":{"$numberDouble":"1.5"}})"
                "\n"
                R"({"type":"invoice","invoice_no":"m3","customer_id":{"$oid":"65a1"},)"
                R"("invoice_time":{"$date":"2024-01-01T10:00:00Z"},"currency":"GBP","total":2.5})",
                {"input.format=invoices", "input.epoch=milliseconds",
                 "input.fields.customer_id=/customer_id/$oid",
                 "input.fields.invoice_time=/invoice_time/$date/$numberLong, /invoice_time/$date",
                 "input.fields.total=/total/$numberDecimal, /total/$numberDouble, "
                 "/total/$numberInt, /total"}),
      "65a1: 3 16.5000\n");
}

TEST_F(InputMapping, TheFormatOptionCountsLikeTheSetting) {
  const std::string input = directory_.file("orders.jsonl");
  std::ofstream(input) << R"({"no": "1", "customer_id": "c1", "currency": "GBP", "total": 1, )"
                          R"("invoice_time": "2024-05-01T10:00:00Z"})"
                          "\n";
  testing::internal::CaptureStdout();
  const absl::Status replayed = run_command(
      add_replay_command, {"replay", "--input", input, "--format", "invoices", "--set",
                           "input.types=invoice", "--set", "input.fields.invoice_no=/no"});
  testing::internal::GetCapturedStdout();
  EXPECT_TRUE(replayed.ok()) << replayed;
}

TEST_F(InputMapping, ALaterVersionOfAnOrderHoldsWhateverItsTotal) {
  const auto order = [](std::string_view total, std::string_view updated) {
    return fmt::format(R"({{"type": "invoice", "invoice_no": "1001", "customer_id": "c1", )"
                       R"("invoice_time": "2024-05-01T10:00:00Z", "currency": "GBP", )"
                       R"("total": "{}", "updated_at": "{}"}})"
                       "\n",
                       total, updated);
  };
  const std::string first = order("403.00", "2024-05-01T10:00:00Z");
  const std::string second = order("203.00", "2024-05-03T10:00:00+0000");
  for (const std::string& records : {first + second, second + first}) {
    EXPECT_EQ(customers(records, {"input.format=invoices", "input.fields.revision=/updated_at"}),
              "c1: 1 203.0000\n");
  }
}

// Goal: a record that is ahead of its receipt names both times, whether somebody's or nobody's.
TEST_F(InputMapping, EventsFromTheFutureAreNamedWithBothTimes) {
  const auto order = [](std::string_view customer, std::string_view time) {
    return fmt::format(R"({{"type": "invoice", "invoice_no": "1", "customer_id": "{}", )"
                       R"("invoice_time": "{}", "currency": "GBP", "total": 1}})"
                       "\n",
                       customer, time);
  };
  // The time in seconds, taken for milliseconds.
  constexpr std::string_view kFuture = "2024-05-01T10:00:00Z";
  EXPECT_EQ(
      customers(order("c0", "1970-01-02T00:00:00Z") + order("c1", kFuture) + order("", kFuture),
                {"input.format=invoices"}, {"--received-at", "1970-01-20T20:15:57Z"}),
      "c0: 1 1.0000\n");
  EXPECT_EQ(count_of("dead letter: future_event_time"), "2");
  for (const char* part : {"2024-05-01T10:00:00.000Z", "1970-01-20T20:15:57.000Z", "seconds"})
    EXPECT_NE(dead_letters().find(part), std::string::npos) << part;
}

}  // namespace
}  // namespace rfm
