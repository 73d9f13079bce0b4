// Goal: each record has its one outcome, and only event time moves a partition's clock.
// Method: one partition without its lane; outputs are collected as text.
#include "stream/pipeline/partition.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "state/epoch.h"

namespace rfm {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::int64_t kFirstEpoch = 15'000;
const EventTime kStart = boundary_of(kFirstEpoch) + hours{12};

class PartitionTest : public testing::Test, public PartitionListener {
 protected:
  void on_transition(const Transition& t, const PartitionMeta&) override {
    transitions_.push_back(fmt::format("{} {} {}->{} {} +{}", t.row->id,
                                       rules_.segmentations[t.segmentation].name(), t.from, t.to,
                                       name(t.reason), (t.effective_at() - kStart).count()));
  }
  void on_rules_adopted(const CustomerRow&, const CustomerFacts&) override {}
  void on_dead_letter(const RecordView&, const Rejection& r) override {
    dead_letters_.push_back(r.reason);
  }
  void on_rejected_invoice(const CustomerRow&, const SettledInvoice& s) override {
    rejected_.push_back(s.outcome);
  }
  void on_new_customer(const CustomerRow&) override {}
  void on_erased(const Erasure& erasure) override { erased_.emplace_back(erasure.customer_id); }
  void on_started(std::int64_t boundary) override { first_boundary_ = boundary; }
  void on_contribution(const Contribution& c) override { contributions_.push_back(c); }

  PartitionTest() {
    models_.start_at(kFirstEpoch + 1);
    know_until(kFirstEpoch + 80);
    open();
  }

  void open() { partition_ = std::make_unique<Partition>(options_, rules_, models_, *this); }

  void know_until(std::int64_t epoch) {
    for (std::int64_t e = models_.trained_through() + 1; e < epoch; ++e) {
      ModelVersion version;
      version.trained_epoch = e;
      version.unchanged = true;
      models_.append(std::make_shared<const ModelVersion>(version));
    }
  }

  Partition::Progress give(const DecodedEvent& event, EventTime received) {
    RecordView record;
    record.offset = offset_;
    record.received_ms = to_ms(received);
    const Partition::Progress progress = partition_->process(record, event);
    if (progress == Partition::Progress::kDone) ++offset_;
    EXPECT_TRUE(partition_->meta().counters.add_up());
    EXPECT_EQ(partition_->meta().next_offset, offset_);
    EXPECT_EQ(partition_->meta().counters.records, static_cast<std::uint64_t>(offset_));
    return progress;
  }
  Partition::Progress invoice(std::string_view customer, std::string_view number, EventTime at,
                              std::int64_t units = 10'000) {
    return give(InvoiceEvent{.customer_id = customer,
                             .event_id = {},
                             .invoice_no = number,
                             .original_invoice_no = {},
                             .country = {},
                             .invoice_time = at,
                             .amount = {units},
                             .consent = std::nullopt},
                at);
  }
  Partition::Progress line(std::string_view customer, std::string_view number, EventTime at,
                           std::int64_t units = 10'000, std::string_view event_id = {}) {
    return give(
        LineEvent{.customer_id = customer,
                  .event_id = event_id,
                  .invoice_no = number,
                  .country = {},
                  .invoice_time = at,
                  .amount = {units},
                  .type = number.starts_with('C') ? InvoiceType::kCredit : InvoiceType::kInvoice},
        at);
  }
  const OutcomeCounters& counters() const { return partition_->meta().counters; }
  const CustomerRow* row(std::string_view customer) { return partition_->rows().find(customer); }
  std::uint32_t frequency(std::string_view customer) {
    return row(customer)->ledger.sums().frequency;
  }
  std::uint64_t dead_lettered(DeadLetterReason reason) const {
    return counters().dead_lettered[static_cast<std::size_t>(reason)];
  }

  Rules rules_;
  ModelTimeline models_;
  PartitionOptions options_;
  std::unique_ptr<Partition> partition_;
  Offset offset_ = 0;
  std::vector<std::string> transitions_;
  std::vector<DeadLetterReason> dead_letters_;
  std::vector<LedgerOutcome> rejected_;
  std::vector<std::string> erased_;
  std::vector<Contribution> contributions_;
  std::int64_t first_boundary_ = 0;
};

TEST_F(PartitionTest, AnInvoiceMovesItsCustomerAtOnce) {
  invoice("a", "1", kStart);
  const std::vector<std::string> expected = {
      "a churn 0->1 purchase +0", "a cluster 0->1 purchase +0", "a rfm 0->5 purchase +0"};
  EXPECT_EQ(transitions_, expected);
  EXPECT_EQ(counters().applied, 1U);
  EXPECT_EQ(partition_->meta().watermark, kStart - rules_.lateness);
  EXPECT_EQ(first_boundary_, kFirstEpoch + 1);
}

TEST_F(PartitionTest, LinesAreOneInvoiceThatSettlesWhenAnotherOfTheCustomerBegins) {
  line("a", "1", kStart);
  line("a", "1", kStart + seconds{3});
  EXPECT_TRUE(transitions_.empty());
  EXPECT_EQ(frequency("a"), 0U);
  line("a", "2", kStart + seconds{5});
  EXPECT_EQ(frequency("a"), 1U);
  EXPECT_EQ(row("a")->ledger.sums().purchases, Money{20'000});
  ASSERT_EQ(transitions_.size(), 3U);
  EXPECT_EQ(transitions_[0], "a churn 0->1 purchase +3000");
  EXPECT_EQ(counters().applied, 3U);
  EXPECT_EQ(counters().invoices_settled, 1U);
}

TEST_F(PartitionTest, LinesSettleWhenTheWatermarkPassesThemAndTakeEffectAtTheLastLine) {
  line("a", "1", kStart);
  line("b", "2", kStart + rules_.lateness + rules_.settle - Duration{1});
  EXPECT_EQ(frequency("a"), 0U);
  line("b", "2", kStart + rules_.lateness + rules_.settle);
  EXPECT_EQ(frequency("a"), 1U);
  EXPECT_EQ(transitions_[0], "a churn 0->1 purchase +0");
  EXPECT_TRUE(partition_->is_due(kStart + minutes{10}));
  partition_->tick(kStart + minutes{10});
  EXPECT_EQ(frequency("b"), 1U);
}

TEST_F(PartitionTest, WithoutTimeToSettleEachLineTakesEffectAtOnce) {
  rules_.settle = Duration{0};
  line("a", "1", kStart);
  line("a", "1", kStart);
  EXPECT_EQ(row("a")->ledger.sums().purchases, Money{20'000});
}

TEST_F(PartitionTest, ALineThatComesAfterItsInvoiceHasSettledAmendsIt) {
  line("a", "1", kStart);
  line("a", "2", kStart + seconds{1});
  line("a", "1", kStart + seconds{2}, 5'000);
  partition_->tick(kStart + minutes{10});
  EXPECT_EQ(frequency("a"), 2U);
  EXPECT_EQ(row("a")->ledger.sums().purchases, Money{25'000});
  EXPECT_EQ(counters().invoices_settled, 3U);
}

TEST_F(PartitionTest, LinesAreDuplicatesByEventIdWhileTheInvoiceIsOpen) {
  line("a", "1", kStart, 10'000, "e1");
  line("a", "1", kStart, 10'000, "e1");
  line("a", "1", kStart, 10'000);
  line("a", "1", kStart, 10'000);
  partition_->tick(kStart + minutes{10});
  EXPECT_EQ(counters().duplicate, 1U);
  EXPECT_EQ(row("a")->ledger.sums().purchases, Money{30'000});
}

TEST_F(PartitionTest, CancelledLinesLowerMonetaryAndKeepTheirOwnInvoice) {
  line("a", "1", kStart);
  line("a", "C2", kStart + seconds{1}, -4'000);
  partition_->tick(kStart + minutes{10});
  EXPECT_EQ(frequency("a"), 1U);
  EXPECT_EQ(row("a")->ledger.sums().credits, Money{4'000});
}

TEST_F(PartitionTest, LinesBelowZeroCountLikeAnUnnamedCreditForAsLongAsTheyAre) {
  line("a", "1", kStart, -30'000);
  line("a", "2", kStart + seconds{1}, 5'000);
  partition_->tick(kStart + minutes{10});
  EXPECT_EQ(frequency("a"), 1U);
  EXPECT_EQ(row("a")->ledger.sums().credits, Money{30'000});
  line("a", "1", kStart + minutes{10}, 100'000);
  partition_->tick(kStart + minutes{20});
  EXPECT_EQ(frequency("a"), 2U);
  EXPECT_EQ(row("a")->ledger.sums().purchases, Money{75'000});
  EXPECT_EQ(row("a")->ledger.sums().credits, Money{});
  EXPECT_TRUE(rejected_.empty());
}

// Its time would make the next one late.
TEST_F(PartitionTest, ARefusedFirstInvoiceMovesNoClockAndLeavesNoCustomer) {
  line("a", "1", kStart + seconds{30}, std::numeric_limits<std::int64_t>::min());
  line("a", "2", kStart);
  ASSERT_EQ(rejected_.size(), 1U);
  partition_->tick(kStart + minutes{10});
  ASSERT_EQ(transitions_.size(), 3U);
  EXPECT_EQ(transitions_[0], "a churn 0->1 purchase +0");
  line("b", "1", kStart + minutes{11}, std::numeric_limits<std::int64_t>::min());
  partition_->tick(kStart + minutes{20});
  ASSERT_EQ(rejected_.size(), 2U);
  EXPECT_EQ(row("b"), nullptr);
  EXPECT_EQ(partition_->rows().size(), 1U);
}

TEST_F(PartitionTest, AVoidInvoiceIsWorthNothingUntilItIsRevived) {
  const auto order = [&](std::int64_t revision, bool is_void) {
    give(InvoiceEvent{.customer_id = "a",
                      .event_id = {},
                      .invoice_no = "1",
                      .original_invoice_no = {},
                      .country = {},
                      .invoice_time = kStart,
                      .amount = {10'000},
                      .revision = revision,
                      .is_void = is_void,
                      .consent = std::nullopt},
         kStart + seconds{revision});
  };
  order(1, false);
  order(2, true);
  EXPECT_EQ(frequency("a"), 0U);
  EXPECT_EQ(row("a")->ledger.sums(), InvoiceSums{});
  EXPECT_EQ(row("a")->segments[2].segment, kNoSegmentCode);
  order(3, false);
  EXPECT_EQ(frequency("a"), 1U);
  EXPECT_EQ(counters().applied, 3U);
}

TEST_F(PartitionTest, AFullLedgerRefusesFurtherInvoices) {
  rules_.ledger_entries_max = 4;
  rules_.ledger_hard_max = 8;
  open();
  for (int n = 0; n < 8; ++n) invoice("a", std::to_string(n), kStart + minutes{n});
  EXPECT_TRUE(dead_letters_.empty());
  EXPECT_EQ(counters().unfolded, 4U);
  invoice("a", "8", kStart + minutes{8});
  EXPECT_EQ(dead_lettered(DeadLetterReason::kLedgerFull), 1U);
  EXPECT_EQ(frequency("a"), 8U);
  invoice("a", "9", kStart + rules_.ledger_fold_age + minutes{1});
  EXPECT_EQ(dead_lettered(DeadLetterReason::kLedgerFull), 1U) << "the oldest has folded";
  EXPECT_EQ(frequency("a"), 9U);
}

TEST_F(PartitionTest, ADuplicateAndASupersededInvoiceChangeNothing) {
  invoice("a", "1", kStart, 20'000);
  invoice("b", "2", kStart + hours{1});
  transitions_.clear();
  invoice("a", "1", kStart, 20'000);
  invoice("a", "1", kStart, 10'000);
  EXPECT_EQ(counters().duplicate, 1U);
  EXPECT_EQ(counters().ignored[static_cast<std::size_t>(IgnoredReason::kSuperseded)], 1U);
  EXPECT_EQ(row("a")->ledger.sums().purchases, Money{20'000});
  EXPECT_EQ(row("a")->clock, kStart) << "not even the clock";
  EXPECT_TRUE(transitions_.empty());
}

TEST_F(PartitionTest, ALateInvoiceIsCountedAndEvaluatedAtTheWatermark) {
  invoice("a", "1", kStart);
  invoice("b", "2", kStart + hours{5});
  transitions_.clear();
  invoice("a", "3", kStart + hours{1}, 90'000'000);
  EXPECT_EQ(counters().late, 1U);
  ASSERT_EQ(transitions_.size(), 1U);
  const auto watermark = hours{5} - rules_.lateness;
  EXPECT_EQ(transitions_[0],
            fmt::format("a rfm 5->{} late_event +{}", row("a")->segments[2].segment,
                        Duration{watermark}.count()));
}

TEST_F(PartitionTest, AnInvoiceFromTheFarFutureMovesNoClock) {
  invoice("a", "1", kStart);
  const PartitionMeta before = partition_->meta();
  const EventTime future = kStart + hours{24 * 365 * 88};
  RecordView record;
  record.offset = offset_;
  record.received_ms = to_ms(kStart);
  partition_->process(record, InvoiceEvent{.customer_id = "a",
                                           .event_id = {},
                                           .invoice_no = "2099",
                                           .original_invoice_no = {},
                                           .country = {},
                                           .invoice_time = future,
                                           .amount = {1},
                                           .consent = std::nullopt});
  EXPECT_EQ(dead_lettered(DeadLetterReason::kFutureEventTime), 1U);
  EXPECT_EQ(partition_->meta().watermark, before.watermark);
  EXPECT_EQ(partition_->meta().max_event_time, before.max_event_time);
  EXPECT_EQ(frequency("a"), 1U);
  ASSERT_EQ(dead_letters_.size(), 1U);
}

TEST_F(PartitionTest, FutureMaxIsExact) {
  EXPECT_EQ(invoice("a", "1", kStart), Partition::Progress::kDone);
  const EventTime limit = kStart + rules_.future_max;
  const auto at = [&](std::string_view number, EventTime time) {
    give(LineEvent{.customer_id = "a",
                   .event_id = {},
                   .invoice_no = number,
                   .country = {},
                   .invoice_time = time,
                   .amount = {1}},
         kStart);
  };
  at("2", limit);
  EXPECT_TRUE(dead_letters_.empty());
  at("3", limit + Duration{1});
  EXPECT_EQ(dead_lettered(DeadLetterReason::kFutureEventTime), 1U);
}

TEST_F(PartitionTest, WhatIsTooOldToBeProvedNewIsBeyondTheHorizon) {
  invoice("a", "1", kStart);
  const EventTime limit = partition_->meta().watermark - rules_.dedup_horizon;
  invoice("b", "2", limit);
  EXPECT_EQ(frequency("b"), 1U);
  invoice("c", "3", limit - Duration{1});
  EXPECT_EQ(dead_lettered(DeadLetterReason::kBeyondHorizon), 1U);
  EXPECT_EQ(row("c"), nullptr);
}

TEST_F(PartitionTest, ATombstoneTakesTheCustomerOutAndLeavesNothing) {
  invoice("a", "1", kStart);
  transitions_.clear();
  give(Tombstone{.customer_id = "a"}, kStart);
  give(Tombstone{.customer_id = "nobody"}, kStart);
  EXPECT_EQ(transitions_.size(), 3U);
  EXPECT_EQ(transitions_[0], "a churn 1->0 erasure +0");
  EXPECT_EQ(row("a"), nullptr);
  EXPECT_EQ(partition_->rows().totals().population(), 0);
  EXPECT_EQ(counters().erased, 2U);
  const std::vector<std::string> erased = {"a", "nobody"};
  EXPECT_EQ(erased_, erased);
  transitions_.clear();
  invoice("a", "1", kStart + seconds{1});
  EXPECT_EQ(row("a")->segments[0].seq, 1U);
}

TEST_F(PartitionTest, ATombstoneSettlesAnOpenInvoiceFirst) {
  line("a", "1", kStart);
  give(Tombstone{.customer_id = "a"}, kStart);
  ASSERT_EQ(transitions_.size(), 6U);
  EXPECT_EQ(transitions_[0], "a churn 0->1 purchase +0");
  EXPECT_EQ(transitions_[3], "a churn 1->0 erasure +0");
}

TEST_F(PartitionTest, EveryKindOfRecordHasItsOutcome) {
  invoice("a", "1", kStart);
  give(AnonymousSale{.invoice_time = kStart + hours{100}, .amount = {1}}, kStart + hours{100});
  give(Adjustment{.invoice_time = kStart + hours{100}}, kStart + hours{100});
  give(Rejection{.reason = DeadLetterReason::kMalformed, .message = "x"}, kStart);
  EXPECT_EQ(partition_->meta().max_event_time, kStart) << "they move no clock";
  EXPECT_EQ(counters().ignored_total(), 2U);
  EXPECT_EQ(dead_lettered(DeadLetterReason::kMalformed), 1U);
}

TEST_F(PartitionTest, ARefusedFirstInvoiceLeavesNoCustomer) {
  invoice("a", "1", kStart, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(dead_lettered(DeadLetterReason::kAmountOverflow), 1U);
  EXPECT_EQ(row("a"), nullptr);
}

TEST_F(PartitionTest, InactivityNeedsNoEventOfTheCustomer) {
  invoice("a", "1", kStart);
  transitions_.clear();
  for (int n = 1; n <= 70; ++n) invoice("b", std::to_string(1 + n), kStart + hours{24 * n});
  std::vector<std::string> silent;
  for (const std::string& t : transitions_) {
    if (t.starts_with("a ")) silent.push_back(t);
  }
  const auto day = [](int n) { return Duration{hours{24 * n}}.count() + 1; };
  ASSERT_EQ(silent.size(), 2U);
  EXPECT_TRUE(silent[0].ends_with(fmt::format("inactivity +{}", day(30)))) << silent[0];
  EXPECT_TRUE(silent[1].ends_with(fmt::format("inactivity +{}", day(60)))) << silent[1];
}

TEST_F(PartitionTest, ContributesOnceForEachBoundaryItCrosses) {
  invoice("a", "1", kStart);
  invoice("b", "2", kStart + hours{24 * 3});
  partition_->contribute_idle(kFirstEpoch + 2);
  ASSERT_EQ(contributions_.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(contributions_[i].epoch, kFirstEpoch + 1 + static_cast<std::int64_t>(i));
    EXPECT_EQ(contributions_[i].population, 1);
  }
  partition_->contribute_idle(kFirstEpoch + 4);
  ASSERT_EQ(contributions_.size(), 4U);
  EXPECT_EQ(contributions_[3].population, 2);
  invoice("a", "3", kStart + hours{24 * 5});
  ASSERT_EQ(contributions_.size(), 5U) << "not for epoch 4 again";
}

TEST_F(PartitionTest, WaitsForTheModelOfItsEventTimeAndAppliesTheRecordOnce) {
  ModelTimeline models;
  models.start_at(kFirstEpoch + 1);
  const auto trained = [&](std::int64_t epoch) {
    ModelVersion version;
    version.trained_epoch = epoch;
    version.unchanged = true;
    models.append(std::make_shared<const ModelVersion>(version));
  };
  partition_ = std::make_unique<Partition>(options_, rules_, models, *this);
  invoice("a", "1", kStart);
  const EventTime far = boundary_of(kFirstEpoch + 3) + hours{1};
  EXPECT_EQ(invoice("b", "2", far), Partition::Progress::kWaitsForModel);
  EXPECT_EQ(counters().records, 1U);
  trained(kFirstEpoch + 1);
  EXPECT_EQ(invoice("b", "2", far), Partition::Progress::kWaitsForModel);
  trained(kFirstEpoch + 2);
  EXPECT_EQ(invoice("b", "2", far), Partition::Progress::kDone);
  EXPECT_EQ(counters().records, 2U);
  EXPECT_EQ(contributions_.size(), 3U);
}

TEST_F(PartitionTest, ATickMovesTheClockForwardOnly) {
  EXPECT_EQ(partition_->tick(kStart), Partition::Progress::kDone);
  EXPECT_FALSE(partition_->meta().started);
  invoice("a", "1", kStart);
  partition_->tick(kStart - hours{1});
  EXPECT_EQ(partition_->meta().watermark, kStart - rules_.lateness);
  EXPECT_FALSE(partition_->is_due(kStart + hours{1}));
  partition_->tick(kStart + hours{24 * 15});
  EXPECT_EQ(partition_->meta().watermark, kStart + hours{24 * 15});
  EXPECT_EQ(transitions_.back().substr(0, 6), "a rfm ");
}

TEST_F(PartitionTest, TheFirstEpochWaitsForItsVersionToo) {
  models_ = ModelTimeline();
  models_.start_at(kFirstEpoch - 5);  // Another partition is older.
  open();
  EXPECT_EQ(invoice("a", "1", kStart), Partition::Progress::kWaitsForModel);
  EXPECT_EQ(first_boundary_, kFirstEpoch + 1) << "the trainer must know of it";
  EXPECT_EQ(partition_->reachable(), partition_->meta().watermark);
  know_until(kFirstEpoch);
  EXPECT_EQ(invoice("a", "1", kStart), Partition::Progress::kDone);
}

}  // namespace
}  // namespace rfm
