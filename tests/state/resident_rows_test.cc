// Goal: rows, deadlines, statistics and the dirty set stay together, whatever happens to the rows.
#include "state/resident_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <random>

#include "state/epoch.h"

namespace rfm {
namespace {

using std::chrono::hours;

constexpr std::int64_t kFirstEpoch = 15'000;

class ResidentRowsTest : public testing::Test {
 protected:
  void SetUp() override {
    models_.start_at(kFirstEpoch);
    for (std::int64_t e = kFirstEpoch; e < kFirstEpoch + 200; ++e) {
      ModelVersion version;
      version.trained_epoch = e;
      version.unchanged = true;
      models_.append(std::make_shared<const ModelVersion>(version));
    }
  }

  TimeContext context() const { return {rules_, models_}; }

  void buy(ResidentRows& rows, const std::string& customer, EventTime at, std::uint64_t number) {
    rows.change(rows.find_or_add(customer, rules_), [&](CustomerRow& row) {
      advance(row, rows.clock_of(row, watermark_), at, context(), buffer_);
      apply_invoice(row, {.invoice = {.number_hash = number, .amount = {10'000}, .time = at}}, at,
                    context(), buffer_);
    });
    buffer_.clear();
  }

  // Takes all rows over the boundary `epoch`; `on_step` sees each that changes.
  template <class OnStep>
  void cross(ResidentRows& rows, EventTime from, std::int64_t epoch, const OnStep& on_step) {
    const EventTime boundary = boundary_of(epoch);
    while (rows.earliest_due() <= boundary) {
      const ResidentRows::Fired fired = rows.fire_deadline(from, boundary, buffer_);
      EXPECT_FALSE(fired.settled) << "no invoice is open";
      if (!buffer_.transitions.empty()) on_step(*fired.row, buffer_);
      buffer_.clear();
    }
    for (std::size_t next = 0; next < rows.places();) {
      const ResidentRows::Swept swept =
          rows.sweep(boundary_step(epoch, context()), next, rows.places(), buffer_);
      if (swept.changed != nullptr) on_step(*swept.changed, buffer_);
      buffer_.clear();
      next = swept.next;
    }
  }

  Rules rules_;
  ModelTimeline models_;
  EventTime watermark_ = boundary_of(kFirstEpoch);
  TransitionBuffer buffer_;
};

TEST_F(ResidentRowsTest, ItsBytesFollowRowsAndLedgers) {
  ResidentRows rows(context());
  const std::size_t empty = rows.bytes();
  buy(rows, "a", from_ms(kFirstEpoch * kEpoch.count()), 1);
  const std::size_t one = rows.bytes();
  EXPECT_GE(one, empty + sizeof(CustomerRow) + sizeof(LedgerEntry));
  for (std::uint64_t i = 2; i <= 101; ++i)
    buy(rows, "a", from_ms(kFirstEpoch * kEpoch.count()) + hours{i}, i);
  EXPECT_GE(rows.bytes(), one + 100 * sizeof(LedgerEntry));
  const std::size_t full = rows.bytes();
  rows.erase(*rows.find("a"));
  EXPECT_LE(rows.bytes() + 101 * sizeof(LedgerEntry), full + 1'024) << "its ledger is gone";
}

TEST_F(ResidentRowsTest, FiresDeadlinesInOrderAndOnce) {
  ResidentRows rows(context());
  for (int i = 0; i < 20; ++i)
    buy(rows, std::to_string(i), boundary_of(kFirstEpoch) + hours{20 - i}, 1);
  std::vector<EventTime> fired;
  const auto on_step = [&](const CustomerRow&, TransitionBuffer& out) {
    for (const Transition& t : out.transitions) fired.push_back(t.effective_at());
  };
  for (std::int64_t epoch = kFirstEpoch; epoch < kFirstEpoch + 80; ++epoch) {
    const EventTime boundary = boundary_of(epoch + 1);
    cross(rows, watermark_, epoch + 1, on_step);
    watermark_ = boundary;
  }
  ASSERT_EQ(fired.size(), 40U);  // Each to Promising and to About to Sleep.
  EXPECT_TRUE(std::is_sorted(fired.begin(), fired.end()));
  EXPECT_EQ(fired.front(), boundary_of(kFirstEpoch) + hours{1 + 24 * 30} + Duration{1});
}

TEST_F(ResidentRowsTest, ACustomerOfWhomNothingWasAppliedIsDropped) {
  ResidentRows rows(context());
  CustomerRow& row = rows.find_or_add("a", rules_);
  rows.change(row, [&](CustomerRow& changing) {
    changing.open =
        std::make_unique<OpenInvoice>(OpenInvoice{.invoice_no = "1",
                                                  .country = {},
                                                  .sum = {std::numeric_limits<std::int64_t>::min()},
                                                  .last_line = watermark_,
                                                  .row_at = watermark_,
                                                  .event_ids = {}});
  });
  rows.mark_committed();
  ASSERT_LE(rows.earliest_due(), watermark_ + hours{1});
  const ResidentRows::Fired fired = rows.fire_deadline(watermark_, watermark_ + hours{1}, buffer_);
  ASSERT_TRUE(fired.settled);
  EXPECT_TRUE(is_refused(fired.settled->outcome));
  rows.drop_if_empty(*fired.row);
  EXPECT_EQ(rows.size(), 0U);
  ASSERT_EQ(rows.dirty().size(), 1U);
  EXPECT_EQ(rows.dirty()[0].customer_id, "a");
  EXPECT_EQ(rows.dirty()[0].row, nullptr) << "the stored row goes too";
}

TEST_F(ResidentRowsTest, KeepsWhatDiffersFromTheStore) {
  ResidentRows rows(context());
  buy(rows, "a", watermark_ + hours{1}, 1);
  buy(rows, "b", watermark_ + hours{1}, 1);
  buy(rows, "a", watermark_ + hours{2}, 2);
  ASSERT_EQ(rows.dirty().size(), 2U);
  EXPECT_EQ(rows.dirty()[0].customer_id, "a");
  rows.mark_committed();
  EXPECT_TRUE(rows.dirty().empty());
  rows.erase(*rows.find("a"));
  ASSERT_EQ(rows.dirty().size(), 1U);
  EXPECT_EQ(rows.dirty()[0].row, nullptr);
  buy(rows, "a", watermark_ + hours{3}, 3);
  ASSERT_EQ(rows.dirty().size(), 1U);
  EXPECT_EQ(rows.dirty()[0].row, rows.find("a"));
  rows.erase(*rows.find("a"));
  rows.mark_committed();
  EXPECT_TRUE(rows.dirty().empty());
  EXPECT_EQ(rows.size(), 1U);
}

TEST_F(ResidentRowsTest, ARestoredIndexFiresTheSame) {
  ResidentRows first(context());
  ResidentRows second(context());
  for (int i = 0; i < 20; ++i) buy(first, std::to_string(i), watermark_ + hours{i}, 1);
  first.for_each([&](const CustomerRow& row) {
    CustomerRow copy;
    copy.id = row.id;
    copy.clock = row.clock;
    copy.birth = row.birth;
    copy.ledger = row.ledger;
    copy.segments = row.segments;
    copy.feature_f = row.feature_f;
    copy.feature_m = row.feature_m;
    second.restore(std::move(copy));
  });
  for (std::size_t next = 0; next < second.places();) next = second.index(watermark_, next, 7);
  EXPECT_EQ(first.totals().population(), second.totals().population());
  EXPECT_EQ(first.totals().sums(), second.totals().sums());
  std::array<std::map<std::string, EventTime>, 2> fired;
  for (ResidentRows* rows : {&first, &second}) {
    const auto on_step = [&](const CustomerRow& row, TransitionBuffer& out) {
      fired[rows == &first ? 0 : 1][row.id] = out.transitions.back().effective_at();
    };
    EventTime now = watermark_;
    for (std::int64_t epoch = kFirstEpoch + 1; epoch < kFirstEpoch + 50; ++epoch) {
      cross(*rows, now, epoch, on_step);
      now = boundary_of(epoch);
    }
  }
  EXPECT_EQ(fired[0], fired[1]);
  EXPECT_EQ(fired[0].size(), 20U);
}

TEST_F(ResidentRowsTest, TotalsAreThoseOfTheRowsAfterErasingAndReusingTheirPlaces) {
  std::mt19937_64 random(1);
  ResidentRows rows(context());
  EventTime now = watermark_;
  for (int i = 0; i < 2'000; ++i) {
    const std::string id = std::to_string(random() % 60);
    now += std::chrono::minutes{1};
    if (random() % 4 == 0) {
      if (CustomerRow* row = rows.find(id)) rows.erase(*row);
    } else {
      buy(rows, id, now, static_cast<std::uint64_t>(i) + 1);
    }
    if (random() % 10 == 0) rows.mark_committed();
  }
  std::int64_t population = 0;
  rows.for_each([&](const CustomerRow& row) {
    EXPECT_EQ(rows.find(row.id), &row);
    population += row.ledger.sums().frequency > 0 ? 1 : 0;
  });
  EXPECT_EQ(rows.totals().population(), population);
  EXPECT_EQ(static_cast<std::size_t>(population), rows.size());
}

}  // namespace
}  // namespace rfm
