// Goal: what time does to many customers is done in pieces, between which a lane commits and may
// end; and no record is applied in between.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "state/epoch.h"
#include "stream/pipeline/partition.h"
#include "stream/text/time_text.h"
#include "tests/fake/memory_pipeline.h"

namespace rfm {
namespace {

using std::chrono::hours;

constexpr std::int64_t kFirstEpoch = 15'000;
const EventTime kSale = boundary_of(kFirstEpoch) + hours{12};

// What a partition says, as far as it can be compared.
class Notes final : public PartitionListener {
 public:
  void on_transition(const Transition& t, const PartitionMeta&) override {
    transitions.push_back(fmt::format("{} {} {}->{} {}", t.row->id,
                                      static_cast<int>(t.segmentation), t.from, t.to,
                                      to_ms(t.effective_at())));
  }
  void on_rules_adopted(const CustomerRow&, const CustomerFacts&) override { ADD_FAILURE(); }
  void on_dead_letter(const RecordView&, const Rejection&) override { ADD_FAILURE(); }
  void on_rejected_invoice(const CustomerRow&, const SettledInvoice&) override { ADD_FAILURE(); }
  void on_new_customer(const CustomerRow&) override {}
  void on_erased(const Erasure&) override { ADD_FAILURE(); }
  void on_started(std::int64_t) override {}
  void on_contribution(const Contribution& c) override { contributions.push_back(c); }

  std::vector<std::string> transitions;
  std::vector<Contribution> contributions;
};

// No version changes anything.
ModelTimeline sixty_epochs() {
  ModelTimeline models;
  models.start_at(kFirstEpoch + 1);
  for (std::int64_t epoch = kFirstEpoch + 1; epoch < kFirstEpoch + 60; ++epoch) {
    ModelVersion version;
    version.trained_epoch = epoch;
    version.unchanged = true;
    models.append(std::make_shared<const ModelVersion>(version));
  }
  return models;
}

// Each customer has one invoice, with the customer's own number.
Partition::Progress sell(Partition& partition, Offset offset, const std::string& customer,
                         EventTime at) {
  RecordView record;
  record.offset = offset;
  record.received_ms = to_ms(at);
  InvoiceEvent event;
  event.customer_id = event.invoice_no = customer;
  event.invoice_time = at;
  event.amount = {10'000};
  return partition.process(record, event);
}

// Twenty customers, then a record that leads over forty boundaries. Returns after how many pieces
// it was applied.
int lead_far(std::size_t piece_rows, Notes& notes) {
  const Rules rules;
  const ModelTimeline models = sixty_epochs();
  PartitionOptions options;
  options.piece_rows = piece_rows;
  Partition partition(options, rules, models, notes);
  Offset offset = 0;
  for (; offset < 20; ++offset)
    EXPECT_EQ(
        sell(partition, offset, fmt::format("c{}", offset), kSale + std::chrono::minutes{offset}),
        Partition::Progress::kDone);
  const EventTime far = kSale + hours{24 * 40};
  int pieces = 0;
  EventTime watermark = partition.meta().watermark;
  while (sell(partition, offset, "late", far) == Partition::Progress::kUnfinished) {
    ++pieces;
    EXPECT_TRUE(partition.is_unfinished());
    EXPECT_EQ(partition.rows().find("late"), nullptr);
    EXPECT_EQ(partition.meta().next_offset, 20);
    EXPECT_GE(partition.meta().watermark, watermark);
    watermark = partition.meta().watermark;
  }
  EXPECT_FALSE(partition.is_unfinished());
  EXPECT_EQ(partition.meta().watermark, far - rules.lateness);
  std::ranges::sort(notes.transitions);
  return pieces;
}

TEST(Pieces, ARecordWaitsUntilAllHaveCrossed) {
  Notes whole;
  EXPECT_EQ(lead_far(10'000, whole), 0);
  ASSERT_EQ(whole.contributions.size(), 40U);
  for (const std::size_t piece_rows : {1U, 3U, 19U, 100U}) {
    SCOPED_TRACE(piece_rows);
    Notes notes;
    // At each boundary all twenty are looked at, and again for the contribution.
    EXPECT_GE(lead_far(piece_rows, notes), static_cast<int>(2 * 20 * 40 / piece_rows));
    EXPECT_EQ(notes.transitions, whole.transitions);
    ASSERT_EQ(notes.contributions.size(), whole.contributions.size());
    for (std::size_t i = 0; i < whole.contributions.size(); ++i) {
      const Contribution& expected = whole.contributions[i];
      const Contribution& actual = notes.contributions[i];
      EXPECT_EQ(actual.epoch, expected.epoch);
      EXPECT_EQ(actual.population, expected.population);
      EXPECT_EQ(actual.clusters, expected.clusters);
      EXPECT_TRUE(std::ranges::equal(actual.sample, expected.sample, {}, &SampleRow::id_hash,
                                     &SampleRow::id_hash));
    }
  }
}

// Before the first fit every contribution has a sample.
TEST(Pieces, NoRecordIsAppliedWhileAnIdlePartitionContributes) {
  const Rules rules;
  const ModelTimeline models = sixty_epochs();
  PartitionOptions options;
  options.piece_rows = 3;
  Notes notes;
  Partition partition(options, rules, models, notes);
  const auto sell_to = [&](Offset number) {
    return sell(partition, number, fmt::format("c{}", number),
                kSale + std::chrono::seconds{number});
  };
  constexpr Offset kCustomers = 20;
  for (Offset i = 0; i < kCustomers; ++i) ASSERT_EQ(sell_to(i), Partition::Progress::kDone);
  Partition::Progress progress = partition.contribute_idle(kFirstEpoch + 14);
  int pieces = 0;
  for (; progress == Partition::Progress::kUnfinished; ++pieces) {
    EXPECT_TRUE(partition.contributes_idle());
    EXPECT_LE(partition.piece_used(), options.piece_rows);
    progress = pieces % 2 == 0 ? sell_to(kCustomers) : partition.go_on();
    EXPECT_EQ(partition.rows().find("c20") != nullptr, progress == Partition::Progress::kDone);
  }
  EXPECT_GE(pieces, 14 * kCustomers / 3);
  EXPECT_FALSE(partition.is_unfinished());
  ASSERT_EQ(notes.contributions.size(), 14U);
  for (const Contribution& contribution : notes.contributions) {
    EXPECT_EQ(contribution.population, kCustomers);
    EXPECT_EQ(contribution.sample.size(), kCustomers);
  }
}

MemoryRecord invoice(const std::string& customer, EventTime at) {
  return {.key = customer,
          .value = fmt::format(
              R"({{"type":"invoice","invoice_no":"{}","customer_id":"{}","invoice_time":"{}",)"
              R"("currency":"GBP","total":25}})",
              customer, customer, to_rfc3339(at)),
          .received_ms = to_ms(at) + 5'000};
}

PipelineOptions reading_invoices() {
  PipelineOptions options;
  options.decoder.format = InputFormat::kInvoices;
  return options;
}

// One undisturbed life.
void live_once(MemoryWorld& world, const PipelineOptions& options) {
  MemoryPipeline pipeline(world, options);
  ASSERT_TRUE(pipeline.restore().ok());
  ASSERT_TRUE(pipeline.run_to_end(std::nullopt).ok());
}

// Sixty customers fall silent at the same instant, and one record leads beyond it.
TEST(Pieces, ManyWhoChangeAtOnceAreCommittedInPieces) {
  constexpr int kCustomers = 60;
  MemoryInput input(1);
  for (int i = 0; i < kCustomers; ++i) input[0].push_back(invoice(fmt::format("c{}", i), kSale));
  input[0].push_back(invoice("late", kSale + hours{24 * 40}));
  PipelineOptions options = reading_invoices();
  options.commit_interval = std::chrono::milliseconds{1};
  MemoryWorld whole(input);
  live_once(whole, options);
  options.piece_rows = 10;
  MemoryWorld world(input);
  // A life ends whenever a piece of the instant is committed.
  const std::string instant = to_rfc3339(kSale + hours{24 * 30} + Duration{1});
  const auto changed = [&] {
    return std::ranges::count_if(
        world.topics.of(OutputTopic::kTransitions), [&](const OutputRecord& record) {
          return record.value->find("\"effective_at\":\"" + instant) != std::string::npos;
        });
  };
  std::size_t in_one_commit_max = 0;
  int lives_in_between = 0;
  for (bool over = false; !over;) {
    MemoryPipeline pipeline(world, options);
    ASSERT_TRUE(pipeline.restore().ok());
    const auto before = changed();
    while (!over && (changed() == before || changed() == kCustomers)) {
      const std::size_t records = world.topics.of(OutputTopic::kTransitions).size();
      const std::uint64_t commits = world.topics.commits;
      const absl::StatusOr<Lane::Activity> activity = pipeline.step();
      ASSERT_TRUE(activity.ok()) << activity.status();
      ASSERT_LE(world.topics.commits, commits + 1);
      if (before > 0) {
        in_one_commit_max = std::max(in_one_commit_max,
                                     world.topics.of(OutputTopic::kTransitions).size() - records);
      }
      over = *activity == Lane::Activity::kAtEnd;
    }
    if (over) {
      ASSERT_TRUE(pipeline.run_to_end(std::nullopt).ok());
    } else {
      ++lives_in_between;
      ASSERT_GT(world.topics.of(OutputTopic::kTicks).size(), 0U) << "says how far it goes";
    }
  }
  EXPECT_GE(lives_in_between, kCustomers / 20 - 1);  // A life commits its second piece first.
  EXPECT_LE(in_one_commit_max, 30U);
  EXPECT_EQ(difference(output_of(whole), output_of(world)), "");
}

// Partition 1 falls silent. What it contributes takes several steps, between which others go on.
TEST(Pieces, AnIdlePartitionContributesInPieces) {
  MemoryInput input(2);
  for (int i = 0; i < 40; ++i) input[1].push_back(invoice(fmt::format("c{}", i), kSale));
  for (int day = 0; day <= 16; ++day)
    input[0].push_back(invoice(fmt::format("d{}", day), kSale + hours{24 * day}));
  PipelineOptions options = reading_invoices();
  const auto run = [&](std::size_t piece_rows) {
    options.piece_rows = piece_rows;
    MemoryWorld world(input);
    MemoryPipeline pipeline(world, options);
    EXPECT_TRUE(pipeline.restore().ok());
    int unfinished = 0;
    while (*pipeline.step() != Lane::Activity::kAtEnd) {
      const Partition& silent = *pipeline.partitions()[1];
      unfinished += silent.contributes_idle() ? 1 : 0;
      EXPECT_LE(silent.piece_used(), piece_rows);
    }
    EXPECT_EQ(unfinished > 0, piece_rows < 40);
    EXPECT_TRUE(pipeline.run_to_end(std::nullopt).ok());
    return output_of(world);
  };
  const PipelineOutput whole = run(10'000);
  EXPECT_EQ(difference(whole, run(7)), "");
  EXPECT_EQ(difference(whole, run(1)), "");
}

// What time does with the records of one batch is one piece too.
TEST(Pieces, ABatchOfRecordsThatEachMoveTimeIsCutShort) {
  MemoryInput input(1);
  for (int i = 0; i < 50; ++i) input[0].push_back(invoice(fmt::format("c{}", i), kSale));
  for (int day = 1; day <= 40; ++day) input[0].push_back(invoice("daily", kSale + hours{24 * day}));
  PipelineOptions options = reading_invoices();
  MemoryWorld world(input);
  live_once(world, options);
  // Nothing waits for a model.
  options.recorded = decode_model_log(world.topics.model_log)->versions;
  options.piece_rows = 300;
  MemoryWorld again(input);
  MemoryPipeline pipeline(again, options);
  ASSERT_TRUE(pipeline.restore().ok());
  std::uint64_t read = 0;
  for (auto activity = pipeline.step(); *activity != Lane::Activity::kAtEnd;
       activity = pipeline.step()) {
    EXPECT_LE(pipeline.counters().records, std::max<std::uint64_t>(read, 50) + 300 / 50 + 1)
        << "each day looks at all fifty";
    read = pipeline.counters().records;
  }
  EXPECT_EQ(read, 90U);
}

TEST(Pieces, APartitionThatHasEndedGoesOnWithARecordedTick) {
  MemoryInput input(1);
  for (int i = 0; i < 40; ++i) input[0].push_back(invoice(fmt::format("c{}", i), kSale));
  input[0].push_back(invoice("late", kSale + hours{24 * 60}));
  PipelineOptions options = reading_invoices();
  MemoryWorld world(input);
  live_once(world, options);
  options.recorded = decode_model_log(world.topics.model_log)->versions;
  options.ticks[0] = {{.offset = 40, .time = kSale + hours{24 * 20}}};
  options.until = kSale + hours{24 * 30};
  options.piece_rows = 10;
  MemoryWorld again(input);
  MemoryPipeline pipeline(again, options);
  ASSERT_TRUE(pipeline.restore().ok());
  for (int steps = 0; steps < 500; ++steps) ASSERT_TRUE(pipeline.step().ok());
  EXPECT_EQ(pipeline.counters().records, 40U);
  EXPECT_EQ(pipeline.partitions()[0]->meta().watermark, options.ticks[0][0].time);
  EXPECT_FALSE(pipeline.partitions()[0]->is_unfinished());
}

TEST(Pieces, AStopIsAnsweredWhileAPartitionIsRestored) {
  MemoryInput input(1);
  for (int i = 0; i < 40; ++i) input[0].push_back(invoice(fmt::format("c{}", i), kSale));
  PipelineOptions options = reading_invoices();
  MemoryWorld world(input);
  StopLimit stop;
  options.stop = &stop;
  live_once(world, options);
  stop.ask(std::chrono::seconds{5});
  {
    MemoryPipeline pipeline(world, options);
    EXPECT_EQ(pipeline.restore().code(), absl::StatusCode::kCancelled) << "reading the store";
  }
  ASSERT_TRUE(world.store.drop_partition(0).ok());
  MemoryPipeline pipeline(world, options);
  EXPECT_EQ(pipeline.restore().code(), absl::StatusCode::kCancelled) << "reading the changelog";
}

}  // namespace
}  // namespace rfm
