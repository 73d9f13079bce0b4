// Goal: whatever is sent, the stream goes on, and every record has one outcome.
// Method: 120,000 seeded mutations of valid records through the whole pipeline, under sanitizers.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/fake/memory_pipeline.h"
#include "tests/fake/record_mutator.h"
#include "tests/property/pipeline_runs.h"

namespace rfm {
namespace {

constexpr std::size_t kRecordCount = 40'000;  // Per format.
constexpr std::int64_t kStart = 1'293'840'000'000;
constexpr std::int64_t kBetweenRecords = 600'000;

void print_row(std::string_view what, std::uint64_t count) {
  std::printf("%8llu  %.*s\n", static_cast<unsigned long long>(count),
              static_cast<int>(what.size()), what.data());
}

void print_outcomes(const OutcomeCounters& counters) {
  print_row("records", counters.records);
  print_row("applied", counters.applied);
  print_row("duplicate", counters.duplicate);
  print_row("erased", counters.erased);
  for (int i = 0; i < kIgnoredReasonCount; ++i)
    print_row(std::string("ignored: ").append(name(static_cast<IgnoredReason>(i))),
              counters.ignored[static_cast<std::size_t>(i)]);
  for (int i = 0; i < kDeadLetterReasonCount; ++i)
    print_row(std::string("dead letter: ").append(name(static_cast<DeadLetterReason>(i))),
              counters.dead_lettered[static_cast<std::size_t>(i)]);
}

void expect_all_survive(InputFormat format, const std::string& last_value) {
  RecordMutator mutator(format, 7);
  MemoryInput input(1);
  for (std::size_t i = 0; i < kRecordCount; ++i) {
    OwnedRecord record = mutator.next();
    input[0].push_back(
        {.key = std::move(record.key),
         .value = std::move(record.value),
         .received_ms = kStart + static_cast<std::int64_t>(i + 2) * kBetweenRecords});
  }
  input[0].push_back(
      {.key = "last",
       .value = last_value,
       .received_ms = kStart + static_cast<std::int64_t>(kRecordCount + 2) * kBetweenRecords});
  PipelineOptions options;
  options.dead_letters.action = DeadLetterOptions::Action::kContinue;  // Most of them are.
  options.decoder.format = format;
  options.decoder.record_bytes_max = 8'000;
  options.training = {.cluster_count = 3,
                      .cluster_history_ms = 0,
                      .challenger_count = 2,
                      .population_on = 30,
                      .population_off = 20,
                      .churn_weeks = 4};
  const PipelineOutput output = run_whole(std::move(input), options);
  print_outcomes(output.counters);
  expect_sound(output, kRecordCount + 1);
  EXPECT_EQ(output.dead_letters.size(),
            output.counters.dead_lettered_total() + output.counters.invoices_rejected);
  const std::uint64_t decoded = output.counters.records - output.counters.dead_lettered_total();
  EXPECT_GE(decoded, kRecordCount / 5);
  EXPECT_GE(output.counters.applied, kRecordCount / 5);
  EXPECT_TRUE(output.transitions.contains("last"));
}

TEST(Mutation, LinesSurviveThePipeline) {
  expect_all_survive(InputFormat::kLines,
                     R"({"InvoiceNo":"999999","StockCode":"22423","Quantity":1,)"
                     R"("InvoiceDate":"2011-10-05T10:30:00Z","UnitPrice":1.25,)"
                     R"("CustomerID":"last","Country":"France"})");
}

TEST(Mutation, InvoicesSurviveThePipeline) {
  expect_all_survive(InputFormat::kInvoices,
                     R"({"type":"invoice","invoice_no":"999999","customer_id":"last",)"
                     R"("invoice_time":"2011-10-05T10:30:00Z","currency":"GBP","total":1.25})");
}

TEST(Mutation, CsvRowsSurviveThePipeline) {
  expect_all_survive(InputFormat::kCsv,
                     "999999,22423,CAKESTAND,1,2011-10-05 10:30:00,1.25,last,France");
}

}  // namespace
}  // namespace rfm
