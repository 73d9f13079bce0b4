// Goal: whatever comes, in whatever order and however much of it, the sums are what the design's
// rules say.
// Method: random invoices and credits in random orders against a plain map of the last word on each
// number.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "state/invoice_ledger.h"

namespace rfm {
namespace {

constexpr EventTime kStart = from_ms(1'300'000'000'000);

EventTime day(int n) { return kStart + std::chrono::hours{24 * n}; }

LedgerInvoice sale(std::uint64_t number, std::int64_t units, EventTime time) {
  return {.number_hash = number, .amount = {units}, .time = time};
}

LedgerInvoice credit_of(std::uint64_t number, std::int64_t units, EventTime time) {
  return {.number_hash = number,
          .amount = {units},
          .time = time,
          .type = InvoiceType::kCredit,
          .original_hash = number};
}

// The last word on each number, and the sums straight from the design's rules.
class PlainLedger {
  static auto rank(const LedgerInvoice& i) {
    return std::tuple(i.revision, i.time, i.is_void, i.amount.units, i.original_hash,
                      i.country_bits);
  }

 public:
  void put(const LedgerInvoice& invoice) {
    LedgerInvoice taken = invoice;
    if (taken.type == InvoiceType::kCredit) taken.amount.units = std::abs(taken.amount.units);
    if (taken.is_void) taken.amount = {};
    const auto [known, added] = invoices_.emplace(std::pair(taken.type, taken.number_hash), taken);
    if (!added && rank(known->second) < rank(taken)) known->second = taken;
  }
  InvoiceSums sums(const Rules& rules, EventTime now) const {
    InvoiceSums sums;
    const auto outside = [&](const LedgerInvoice& i) {
      return rules.window && now - i.time > *rules.window;
    };
    for (const auto& [number, invoice] : invoices_) {
      const auto sale = invoices_.find(std::pair(InvoiceType::kInvoice, invoice.original_hash));
      const bool named = invoice.type == InvoiceType::kCredit && sale != invoices_.end();
      const LedgerInvoice& dated = named ? sale->second : invoice;
      if (invoice.is_void || dated.is_void || outside(dated)) continue;
      const std::int64_t size = std::abs(invoice.amount.units);
      if (invoice.type == InvoiceType::kCredit) {
        sums.credits.units += size;
        continue;
      }
      sums.purchases.units += size;
      std::int64_t credited = 0;
      bool any = false;
      for (const auto& [other_number, other] : invoices_) {
        if (other.type != InvoiceType::kCredit || other.is_void ||
            other.original_hash != invoice.number_hash)
          continue;
        credited += std::abs(other.amount.units);
        any = true;
      }
      if (any && credited >= size) continue;
      ++sums.frequency;
      sums.first_purchase = std::min(sums.first_purchase, invoice.time);
      sums.last_purchase = std::max(sums.last_purchase, invoice.time);
    }
    return sums;
  }

 private:
  std::map<std::pair<InvoiceType, std::uint64_t>, LedgerInvoice> invoices_;
};

// Of so many numbers; a credit may have that of an invoice.
LedgerInvoice random_invoice(std::mt19937_64& random, std::uint64_t numbers) {
  const auto below = [&](std::uint64_t end) { return random() % end; };
  LedgerInvoice invoice{.number_hash = 1 + below(numbers),
                        .amount = {static_cast<std::int64_t>(below(4) * 10)},
                        .time = day(static_cast<int>(below(5))),
                        .country_bits = static_cast<std::uint16_t>(below(2) * 0xfff)};
  if (below(3) == 0) {
    invoice.type = InvoiceType::kCredit;
    if (below(2) == 0) invoice.original_hash = 1 + below(numbers);
    if (below(2) == 0) invoice.amount = -invoice.amount;
  }
  if (below(4) == 0) invoice.revision = static_cast<std::int64_t>(below(3));
  invoice.is_void = below(8) == 0;
  return invoice;
}

TEST(InvoiceLedgerProperty, OrderDoesNotMatterAndSumsAreMaintained) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    Rules rules;
    if (seed % 3 == 0) rules.window = std::chrono::hours{24 * (1 + random() % 4)};
    const EventTime now = day(4);
    std::vector<LedgerInvoice> records;
    PlainLedger plain;
    for (std::uint64_t n = 1 + random() % 40; n > 0; --n) {
      records.push_back(random_invoice(random, 12));
      plain.put(records.back());
    }
    for (int permutation = 0; permutation < 5; ++permutation) {
      std::shuffle(records.begin(), records.end(), random);
      InvoiceLedger ledger;
      for (const LedgerInvoice& record : records) {
        ledger.put(record, rules, now);
        ASSERT_EQ(ledger.sums(), ledger.recompute(rules, now));
        ASSERT_EQ(ledger.put(record, rules, now) == LedgerOutcome::kApplied, false);
      }
      ASSERT_EQ(ledger.sums(), plain.sums(rules, now));
    }
  }
}

// The same where there is an index, time goes on and invoices leave the window one by one.
TEST(InvoiceLedgerProperty, ALongLedgerSaysTheSame) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    Rules rules;
    if (seed % 3 != 0) rules.window = std::chrono::hours{24 * (5 + random() % 20)};
    if (seed % 2 == 0) rules.ledger_entries_max = 100 + static_cast<std::uint32_t>(random() % 400);
    InvoiceLedger ledger;
    PlainLedger plain;
    EventTime now = day(0);
    for (int n = 0; n < 1'200; ++n) {
      now += Duration{static_cast<std::int64_t>(random() % 6'000'000)};
      LedgerInvoice record = random_invoice(random, 700);
      record.time = now - Duration{static_cast<std::int64_t>(random() % 200'000'000)};
      if (random() % 4 == 0)
        record.time = day(static_cast<int>((now - day(0)).count() / 86'400'000));
      const LedgerOutcome outcome = ledger.put(record, rules, now);
      ASSERT_FALSE(is_refused(outcome) && outcome != LedgerOutcome::kBeyondHorizon);
      if (outcome != LedgerOutcome::kBeyondHorizon) plain.put(record);
      if (n % 50 != 0) continue;
      ledger.refresh(rules, now);
      ASSERT_EQ(ledger.sums(), ledger.recompute(rules, now)) << n;
      if (ledger.folded() != FoldedInvoices{}) continue;
      ASSERT_EQ(ledger.sums(), plain.sums(rules, now)) << n;
    }
    InvoiceLedger restored;
    ASSERT_TRUE(restored.restore(ledger.entries().all(), ledger.folded(), rules, now));
    ledger.refresh(rules, now);
    ASSERT_EQ(restored, ledger);
  }
}

// Goal: a walk-in customer, or one window of many invoices, costs the same for each invoice.
// Method: as many as a ledger may hold. With a look at all others for each of them, as by
// `recompute`, this would be 10^9 steps and more for each of the three.
TEST(InvoiceLedger, IsNotSlowerForBeingLong) {
  const auto count = std::uint64_t{kLedgerHardMax / 2};
  Rules windowed;
  windowed.window = std::chrono::hours{24 * 365};
  for (const Rules& rules : {Rules{}, windowed}) {
    InvoiceLedger ledger;
    EventTime now = day(0);
    for (std::uint64_t n = 1; n <= count; ++n) {
      now += std::chrono::minutes{1};
      ASSERT_EQ(ledger.put(sale(n, 100, now), rules, now), LedgerOutcome::kApplied);
      ASSERT_EQ(
          ledger.next_exit(rules, now),
          rules.window ? day(0) + std::chrono::minutes{1} + *rules.window + Duration{1} : kNever);
    }
    for (std::uint64_t n = 1; n <= count / 2; ++n) {
      ASSERT_EQ(ledger.put(credit_of(n, 100, now), rules, now), LedgerOutcome::kApplied);
      ASSERT_EQ(ledger.put(sale(n, 100, day(0) + n * std::chrono::minutes{1}), rules, now),
                LedgerOutcome::kDuplicate);
    }
    EXPECT_EQ(ledger.sums(), ledger.recompute(rules, now));
    EXPECT_EQ(ledger.sums().frequency, count - count / 2);
    if (!rules.window) continue;
    std::uint64_t exits = 0;
    for (EventTime exit = ledger.next_exit(rules, now); exit != kNever;
         exit = ledger.next_exit(rules, exit)) {
      ledger.refresh(rules, exit);
      ++exits;
    }
    EXPECT_EQ(exits, count);
    EXPECT_EQ(ledger.sums(), InvoiceSums{});
  }
}

}  // namespace
}  // namespace rfm
