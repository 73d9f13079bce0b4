// Goal: a state of a version before books goes on: its books say since when they count, and a
// customer's segments since when he has been in them.
// Method: the published row of each such version (tests/golden/row_v*.txt) in a partition, which
// then sells to its customer.
#include "stream/pipeline/partition_books.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "state/epoch.h"
#include "state/evaluation.h"
#include "state/row_codec.h"
#include "stream/pipeline/partition.h"
#include "tests/golden/golden_file.h"

namespace rfm {
namespace {

using std::chrono::hours;

constexpr std::string_view kCustomer = "17850";
// Since when the customer of the files is in his segments, by segmentation.
constexpr EventTime kSince = from_ms(1'322'000'000'123);
const EventTime kUpgraded = kSince + hours{1};

class UpgradeTest : public testing::TestWithParam<int>, public PartitionListener {
 protected:
  UpgradeTest() {
    models_.start_at(epoch_of(kUpgraded) - 10);
    for (std::int64_t e = models_.start_epoch(); e < epoch_of(kUpgraded) + 10; ++e) {
      ModelVersion version;
      version.trained_epoch = e;
      version.unchanged = true;
      models_.append(std::make_shared<const ModelVersion>(version));
    }
    meta_.started = true;
    meta_.max_event_time = meta_.watermark = meta_.moving_to = kUpgraded;
    meta_.first_boundary = models_.start_epoch();
    meta_.crossed = meta_.contributed = epoch_of(kUpgraded);
  }

  void on_transition(const Transition& t, const PartitionMeta&) override {
    left_.try_emplace(t.segmentation, Left{t.from, t.from_since});
  }
  void on_rules_adopted(const CustomerRow&, const CustomerFacts&) override {}
  void on_dead_letter(const RecordView&, const Rejection& r) override {
    ADD_FAILURE() << name(r.reason);
  }
  void on_rejected_invoice(const CustomerRow&, const SettledInvoice&) override {}
  void on_new_customer(const CustomerRow&) override { ADD_FAILURE(); }
  void on_erased(const Erasure&) override {}
  void on_started(std::int64_t) override {}
  void on_contribution(const Contribution&) override {}

  CustomerRow old_row() const {
    const std::string file = fmt::format("row_v{}.txt", GetParam());
    absl::StatusOr<CustomerRow> row =
        decode_row(kCustomer, bytes_of_hex(read_golden(file)), {rules_, models_});
    EXPECT_TRUE(row.ok()) << row.status();
    return *std::move(row);
  }

  // As it is at start, with `cells` of its books.
  std::unique_ptr<Partition> open(CustomerRow row, const PartitionMeta& meta,
                                  const std::vector<StoreWrite>& cells) {
    auto partition = std::make_unique<Partition>(PartitionOptions{}, rules_, models_, *this);
    partition->meta() = meta;
    partition->rows().restore(std::move(row));
    for (const StoreWrite& cell : cells)
      EXPECT_TRUE(partition->books().restore(cell.key, *cell.value));
    partition->books().index(meta);
    partition->index_rows(0);
    return partition;
  }

  void sell(Partition& partition, EventTime at) {
    RecordView record;
    record.received_ms = to_ms(at);
    const InvoiceEvent event{.customer_id = kCustomer,
                             .event_id = {},
                             .invoice_no = "581587",
                             .original_invoice_no = {},
                             .country = "France",
                             .invoice_time = at,
                             .amount = {1'234'500},
                             .consent = std::nullopt};
    EXPECT_EQ(partition.process(record, event), Partition::Progress::kDone);
  }

  // By segmentation and segment: customers, money.
  std::map<std::string, Book::Sums> stocks(const Partition& partition) const {
    std::map<std::string, Book::Sums> stocks;
    const PartitionBooks& books = partition.books();
    books.cells().for_each([&](std::string_view key, const Book::Cell& cell) {
      const std::optional<MovesCell> found = moves_cell(key);
      if (!found || found->kind != MovesCell::Kind::kStock) return;
      Book::Sums& sums = stocks[fmt::format("{}: {}", books.name_of(found->segmentation),
                                            books.name_of(found->to))];
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += cell.sums[i];
    });
    return stocks;
  }

  struct Left {
    SegmentCode segment = kNoSegmentCode;
    EventTime since{};
  };

  Rules rules_;
  ModelTimeline models_;
  PartitionMeta meta_;
  std::map<std::size_t, Left> left_;  // At the first move, by segmentation.
};

TEST_P(UpgradeTest, BooksCountFromThereOnAndSegmentsKeepTheirTime) {
  const CustomerRow before = old_row();
  const std::unique_ptr<Partition> partition = open(old_row(), meta_, {});
  const CustomerRow& row = *partition->rows().find(kCustomer);
  for (std::size_t s = 0; s < row.segments.size(); ++s)
    EXPECT_EQ(row.segments[s].since, kSince + Duration{static_cast<std::int64_t>(s)});
  EXPECT_EQ(partition->books().since(), kUpgraded);
  EXPECT_TRUE(stocks(*partition).empty());

  sell(*partition, kUpgraded + hours{1});
  std::map<std::string, Book::Sums> expected;
  for (std::size_t s = 0; s < row.segments.size(); ++s) {
    SCOPED_TRACE(rules_.segmentations[s].name());
    const auto left = left_.find(s);
    const bool has_moved = left != left_.end();
    EXPECT_EQ(has_moved, row.segments[s].seq != before.segments[s].seq);
    EXPECT_EQ(has_moved ? left->second.since : row.segments[s].since, before.segments[s].since);
    EXPECT_EQ(has_moved ? left->second.segment : row.segments[s].segment,
              before.segments[s].segment);
    expected[fmt::format("{}: {}", rules_.segmentations[s].name(),
                         segment_info(rules_.segmentations[s], row.segments[s].segment).name)] = {
        1, monetary_of(row.ledger.sums(), rules_).units};
  }
  EXPECT_FALSE(left_.empty()) << "nothing has moved";
  EXPECT_EQ(past_moves(row.history).size(), left_.size());
  std::map<std::string, Book::Sums> booked = stocks(*partition);
  std::erase_if(booked, [](const auto& entry) { return entry.second == Book::Sums{}; });
  EXPECT_EQ(booked, expected);

  // What it counts from does not move with the clock.
  std::vector<StoreWrite> written;
  partition->books().append(0, written);
  absl::StatusOr<CustomerRow> stored = decode_row(kCustomer, encode_row(row), {rules_, models_});
  ASSERT_TRUE(stored.ok()) << stored.status();
  ASSERT_GT(partition->meta().watermark, kUpgraded);
  std::erase_if(written, [](const StoreWrite& write) { return write.kind != StoreKind::kBook; });
  const std::unique_ptr<Partition> later = open(*std::move(stored), partition->meta(), written);
  EXPECT_EQ(later->books().since(), kUpgraded);
}

INSTANTIATE_TEST_SUITE_P(OfVersion, UpgradeTest, testing::Values(1, 2, 3, 4));

}  // namespace
}  // namespace rfm
