#include "state/sale_lines.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "state/epoch.h"
#include "tests/fake/memory_state_store.h"

namespace rfm {
namespace {

constexpr std::int64_t kDay = 15'000;

SaleKey key_of(std::int64_t day, std::uint64_t number, InvoiceType type = InvoiceType::kInvoice) {
  return {.time = boundary_of(day), .customer_hash = 1, .type = type, .number_hash = number};
}

class SaleLinesTest : public testing::Test {
 protected:
  void put(const SaleKey& key, std::int64_t amount) {
    const std::vector<BookedLine> lines = {{.product = 2, .units = 10'000, .amount = {amount}}};
    lines_.put(key, "EIRE", lines);
  }
  // 0: it is not kept.
  std::int64_t amount_of(const SaleKey& key) {
    const std::optional<SaleLines::Kept> kept = lines_.find(key);
    if (!kept) return 0;
    EXPECT_EQ(kept->country, "EIRE");
    return kept->lines.at(0).amount.units;
  }
  void commit() {
    std::vector<StoreWrite> writes;
    lines_.append(writes);
    ASSERT_TRUE(lines_.take_status().ok());
    ASSERT_TRUE(store_.write(writes).ok());
    lines_.mark_committed();
  }
  std::size_t stored(std::int32_t partition = 3) {
    std::size_t count = 0;
    const auto add = [&](std::string_view, std::string_view) {
      ++count;
      return absl::OkStatus();
    };
    EXPECT_TRUE(store_.scan(StoreKind::kSaleLines, partition, add).ok());
    return count;
  }

  Faults faults_;
  MemoryStateStore store_{faults_};
  SaleLines lines_{&store_, 3};
};

TEST_F(SaleLinesTest, AreFoundBeforeAndAfterTheyAreCommitted) {
  put(key_of(kDay, 1), 5);
  put(key_of(kDay, 2), 6);
  EXPECT_EQ(amount_of(key_of(kDay, 1)), 5);
  EXPECT_EQ(amount_of(key_of(kDay, 3)), 0);
  EXPECT_EQ(amount_of(key_of(kDay, 1, InvoiceType::kCredit)), 0);
  commit();
  EXPECT_EQ(stored(), 2U);
  EXPECT_EQ(stored(2), 0U);
  EXPECT_EQ(amount_of(key_of(kDay, 1)), 5);
  EXPECT_EQ(amount_of(key_of(kDay, 2)), 6);
}

TEST_F(SaleLinesTest, TheLastChangeHolds) {
  const SaleKey key = key_of(kDay, 1);
  put(key, 5);
  EXPECT_EQ(amount_of(key), 5);
  lines_.erase(key);
  EXPECT_EQ(amount_of(key), 0);
  put(key, 6);
  EXPECT_EQ(amount_of(key), 6);
  commit();
  EXPECT_EQ(amount_of(key), 6);
  lines_.erase(key);
  EXPECT_EQ(amount_of(key), 0);
  commit();
  EXPECT_EQ(amount_of(key), 0);
  EXPECT_EQ(stored(), 0U);
}

TEST_F(SaleLinesTest, WhatHasExpiredIsNeitherFoundNorKept) {
  for (std::uint64_t number = 0; number < 6'000; ++number) put(key_of(kDay, number), 5);
  put(key_of(kDay + 1, 1), 6);
  commit();
  lines_.expire_before(kDay + 1);
  EXPECT_EQ(amount_of(key_of(kDay, 1)), 0);
  put(key_of(kDay, 7'000), 5);
  EXPECT_EQ(amount_of(key_of(kDay, 7'000)), 0);
  EXPECT_EQ(amount_of(key_of(kDay + 1, 1)), 6);
  commit();  // A bounded number at a time.
  EXPECT_EQ(stored(), 1'001U);
  commit();
  EXPECT_EQ(stored(), 1U);
  EXPECT_EQ(amount_of(key_of(kDay + 1, 1)), 6);
}

TEST_F(SaleLinesTest, WithoutAStoreNothingIsKept) {
  SaleLines nowhere(nullptr, 0);
  const std::vector<BookedLine> lines = {{.product = 2, .units = 1, .amount = {1}}};
  nowhere.put(key_of(kDay, 1), "", lines);
  EXPECT_FALSE(nowhere.find(key_of(kDay, 1)));
  std::vector<StoreWrite> writes;
  nowhere.append(writes);
  EXPECT_TRUE(writes.empty());
}

}  // namespace
}  // namespace rfm
