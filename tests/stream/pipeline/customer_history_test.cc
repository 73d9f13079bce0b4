// Goal: what is published of a customer follows from the customer's own records and instants.
// Method: small histories through the whole pipeline over memory; values, current segments and
// transitions are read off what it published and stored.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "state/row_codec.h"
#include "stream/text/time_text.h"
#include "tests/fake/memory_pipeline.h"

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
      event("invoice", "a", "I1", "2024-01-01T00:00:00Z", "10", R"(,"consent":true)");
  const MemoryRecord second =
      event("invoice", "a", "I2", "2024-01-15T00:00:30Z", "10", R"(,"consent":false)");
  const MemoryRecord other = event("invoice", "b", "I3", "2024-01-15T00:01:01Z", "10");
  // The customer's own event moves the clock past the instant, or another customer's does.
  const PipelineOutput own = published({.records = {first, second, other}});
  const PipelineOutput others = published({.records = {first, other, second}});
  ASSERT_EQ(own.transitions.at("a").size(), 5U);
  const std::string& silent = own.transitions.at("a")[3];
  EXPECT_TRUE(contains(silent, R"("effective_at":"2024-01-15T00:00:00.001Z")")) << silent;
  EXPECT_TRUE(contains(silent, R"("consent":true)")) << silent;
  EXPECT_TRUE(contains(silent, R"("actionable":true)")) << silent;
  EXPECT_TRUE(contains(own.transitions.at("a")[4], R"("suppressed_by":"consent")"));
  EXPECT_EQ(silent, others.transitions.at("a")[3]);
}

TEST(CustomerHistory, CurrentSegmentsAreAsOfTheCustomersOwnLastChange) {
  const MemoryRecord first = event("invoice", "a", "I1", "2024-01-01T00:00:00Z", "10");
  // Moves the clock past a change by time, and changes no segment itself.
  const MemoryRecord credit = event("credit", "a", "C1", "2024-01-15T00:00:30Z", "1");
  const MemoryRecord other = event("invoice", "b", "I3", "2024-01-15T00:01:01Z", "10");
  const PipelineOutput own = published({.records = {first, credit, other}});
  const PipelineOutput others = published({.records = {first, other, credit}});
  EXPECT_TRUE(contains(own.segments.at("a"), R"("as_of":"2024-01-15T00:00:00.001Z")"))
      << own.segments.at("a");
  EXPECT_EQ(own.segments.at("a"), others.segments.at("a"));
}

}  // namespace
}  // namespace rfm
