// Goal: a customer's sums are what the records say, in whatever order they come.
// Method: examples for each rule; random invoices and credits in random orders against a plain map
// of the last word on each number.
#include "state/invoice_ledger.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <tuple>

namespace rfm {
namespace {

constexpr EventTime kStart = from_ms(1'300'000'000'000);
constexpr EventTime kNow = kStart + std::chrono::hours{24 * 365};

EventTime day(int n) { return kStart + std::chrono::hours{24 * n}; }

LedgerInvoice sale(std::uint64_t number, std::int64_t units, EventTime time) {
  return {.number_hash = number, .amount = {units}, .time = time};
}

LedgerInvoice credit(std::uint64_t number, std::int64_t units, EventTime time,
                     std::uint64_t original = 0) {
  return {.number_hash = number,
          .amount = {units},
          .time = time,
          .type = InvoiceType::kCredit,
          .original_hash = original};
}

TEST(InvoiceLedger, CountsDistinctInvoices) {
  InvoiceLedger ledger;
  EXPECT_EQ(ledger.put(sale(1, 100, day(3)), {}, kNow), LedgerOutcome::kApplied);
  EXPECT_EQ(ledger.put(sale(2, 50, day(1)), {}, kNow), LedgerOutcome::kApplied);
  EXPECT_EQ(ledger.put(sale(1, 100, day(3)), {}, kNow), LedgerOutcome::kDuplicate);
  EXPECT_EQ(ledger.sums().frequency, 2U);
  EXPECT_EQ(ledger.sums().purchases, Money{150});
  EXPECT_EQ(ledger.sums().first_purchase, day(1));
  EXPECT_EQ(ledger.sums().last_purchase, day(3));
}

TEST(InvoiceLedger, AnInvoiceWorthNothingCounts) {
  InvoiceLedger ledger;
  ledger.put(sale(1, 0, day(1)), {}, kNow);
  EXPECT_EQ(ledger.sums().frequency, 1U);
}

TEST(InvoiceLedger, TheHigherRevisionWinsElseTheHigherTimeAndAmount) {
  InvoiceLedger ledger;
  LedgerInvoice second = sale(1, 10, day(1));
  second.revision = 2;
  ledger.put(second, {}, kNow);
  EXPECT_EQ(ledger.put(sale(1, 999, day(9)), {}, kNow), LedgerOutcome::kSuperseded);
  EXPECT_EQ(ledger.sums().purchases, Money{10});
  EXPECT_EQ(ledger.put(sale(2, 10, day(2)), {}, kNow), LedgerOutcome::kApplied);
  EXPECT_EQ(ledger.put(sale(2, 9, day(2)), {}, kNow), LedgerOutcome::kSuperseded);
  EXPECT_EQ(ledger.put(sale(2, 8, day(3)), {}, kNow), LedgerOutcome::kApplied);
  EXPECT_EQ(ledger.sums().purchases, Money{18});
  EXPECT_EQ(ledger.sums().frequency, 2U);
}

TEST(InvoiceLedger, ACreditLowersMonetaryOnly) {
  InvoiceLedger ledger;
  ledger.put(sale(1, 100, day(1)), {}, kNow);
  ledger.put(credit(2, 100, day(2)), {}, kNow);
  EXPECT_EQ(ledger.sums().frequency, 1U);
  EXPECT_EQ(ledger.sums().credits, Money{100});
}

TEST(InvoiceLedger, NamedCreditsThatReachTheInvoiceTakeItOutBeforeAndAfterTheSale) {
  const LedgerInvoice first = credit(2, -40, day(2), 1);
  const LedgerInvoice second = credit(3, 60, day(3), 1);
  InvoiceLedger after;
  after.put(sale(1, 100, day(1)), {}, kNow);
  after.put(first, {}, kNow);
  EXPECT_EQ(after.sums().frequency, 1U) << "a partial credit";
  after.put(second, {}, kNow);
  EXPECT_EQ(after.sums().frequency, 0U);
  EXPECT_EQ(after.sums().credits, Money{100});

  InvoiceLedger before;
  before.put(second, {}, kNow);
  before.put(first, {}, kNow);
  EXPECT_EQ(before.sums().frequency, 0U);
  before.put(sale(1, 100, day(1)), {}, kNow);
  EXPECT_EQ(before.sums(), after.sums());
}

TEST(InvoiceLedger, AnInvoiceLeavesTheWindowAtAnExactInstant) {
  Rules rules;
  rules.window = std::chrono::hours{24 * 30};
  InvoiceLedger ledger;
  ledger.put(sale(1, 100, day(0)), rules, day(0));
  ledger.put(sale(2, 50, day(10)), rules, day(10));
  const EventTime exit = day(30) + Duration{1};
  EXPECT_EQ(ledger.next_exit(rules, day(10)), exit);
  ledger.refresh(rules, exit - Duration{1});
  EXPECT_EQ(ledger.sums().frequency, 2U);
  ledger.refresh(rules, exit);
  EXPECT_EQ(ledger.sums().frequency, 1U);
  EXPECT_EQ(ledger.sums().purchases, Money{50});
  EXPECT_EQ(ledger.next_exit(rules, exit), day(40) + Duration{1});
  EXPECT_EQ(ledger.next_exit(Rules{}, exit), kNever);
}

TEST(InvoiceLedger, FoldingTheOldestChangesNoSum) {
  Rules rules;
  rules.ledger_entries_max = 16;
  std::mt19937_64 random(7);
  for (int round = 0; round < 50; ++round) {
    InvoiceLedger folding;
    InvoiceLedger whole;
    for (int n = 0; n < 60; ++n) {
      const auto number = static_cast<std::uint64_t>(n) + 1;
      const auto amount = static_cast<std::int64_t>(random() % 50);
      // A credit may be dated before the invoice it names.
      const LedgerInvoice invoice = random() % 3 == 0
                                        ? credit(number, amount, day(n), number + 4 - random() % 8)
                                        : sale(number, amount, day(n));
      const LedgerOutcome outcome = folding.put(invoice, rules, kNow);
      ASSERT_EQ(outcome, LedgerOutcome::kApplied);
      whole.put(invoice, {}, kNow);
      ASSERT_EQ(folding.sums(), folding.recompute(rules, kNow));
      ASSERT_EQ(folding.sums().purchases, whole.sums().purchases);
      ASSERT_EQ(folding.sums().credits, whole.sums().credits);
      // A credit that comes after its invoice was folded cannot take it out.
      const std::vector<LedgerInvoice> kept = folding.invoices();
      const bool too_late =
          invoice.type == InvoiceType::kCredit &&
          std::ranges::find(kept, invoice.original_hash, &LedgerInvoice::number_hash) == kept.end();
      if (too_late) whole = folding;
      ASSERT_EQ(folding.sums(), whole.sums()) << "round " << round << ", record " << n;
    }
    EXPECT_LE(folding.entries().size(), 2 * rules.ledger_entries_max);
  }
}

TEST(InvoiceLedger, WhatIsNotLaterThanTheFoldedOnesIsBeyondTheHorizon) {
  Rules rules;
  rules.ledger_entries_max = 4;
  InvoiceLedger ledger;
  for (int n = 0; n < 5; ++n)
    ledger.put(sale(static_cast<std::uint64_t>(n), 1, day(n)), rules, kNow);
  ASSERT_GT(ledger.folded().newest, kBeforeAll);
  const InvoiceLedger before = ledger;
  EXPECT_EQ(ledger.put(sale(99, 1, ledger.folded().newest), rules, kNow),
            LedgerOutcome::kBeyondHorizon);
  EXPECT_EQ(ledger.add(sale(99, 1, ledger.folded().newest), rules, kNow),
            LedgerOutcome::kBeyondHorizon);
  EXPECT_EQ(ledger, before);
  EXPECT_EQ(ledger.put(sale(99, 1, ledger.folded().newest + Duration{1}), rules, kNow),
            LedgerOutcome::kApplied);
}

TEST(InvoiceLedger, NothingInsideAFiniteWindowIsFolded) {
  Rules rules;
  rules.ledger_entries_max = 4;
  rules.window = std::chrono::hours{24 * 100};
  InvoiceLedger ledger;
  for (int n = 0; n < 20; ++n)
    ledger.put(sale(static_cast<std::uint64_t>(n), 1, day(n)), rules, day(n));
  EXPECT_EQ(ledger.entries().size(), 20U);
  EXPECT_EQ(ledger.sums().frequency, 20U);
}

TEST(InvoiceLedger, RefusesWhatAnInt64DoesNotHoldAndChangesNothing) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  InvoiceLedger ledger;
  ledger.put(sale(1, kMax - 10, day(1)), {}, kNow);
  const InvoiceLedger before = ledger;
  EXPECT_EQ(ledger.put(sale(2, 11, day(2)), {}, kNow), LedgerOutcome::kOverflow);
  EXPECT_EQ(ledger.put(credit(3, 11, day(2)), {}, kNow), LedgerOutcome::kOverflow);
  EXPECT_EQ(ledger.put(credit(3, std::numeric_limits<std::int64_t>::min(), day(2)), {}, kNow),
            LedgerOutcome::kOverflow);
  EXPECT_EQ(ledger.add(sale(1, 11, day(2)), {}, kNow), LedgerOutcome::kOverflow);
  EXPECT_EQ(ledger, before);
}

TEST(InvoiceLedger, LateLinesAmendTheirInvoice) {
  InvoiceLedger ledger;
  EXPECT_EQ(ledger.add(sale(1, 100, day(1)), {}, kNow), LedgerOutcome::kApplied);
  EXPECT_EQ(ledger.add(sale(1, 20, day(2)), {}, kNow), LedgerOutcome::kApplied);
  EXPECT_EQ(ledger.sums().frequency, 1U);
  EXPECT_EQ(ledger.sums().purchases, Money{120});
  EXPECT_EQ(ledger.sums().last_purchase, day(2));
  EXPECT_EQ(ledger.add(sale(1, -121, day(2)), {}, kNow), LedgerOutcome::kNegative);
  EXPECT_EQ(ledger.add(sale(2, -1, day(2)), {}, kNow), LedgerOutcome::kNegative);
  EXPECT_EQ(ledger.sums().purchases, Money{120});
}

// The last word on each number, and the sums straight from the design's rules.
class PlainLedger {
  static auto rank(const LedgerInvoice& i) {
    return std::tuple(i.revision, i.time, i.amount.units, i.type, i.original_hash, i.country_bits);
  }

 public:
  void put(const LedgerInvoice& invoice) {
    LedgerInvoice taken = invoice;
    if (taken.type == InvoiceType::kCredit) taken.amount.units = std::abs(taken.amount.units);
    const auto [known, added] = invoices_.emplace(taken.number_hash, taken);
    if (!added && rank(known->second) < rank(taken)) known->second = taken;
  }
  InvoiceSums sums(const Rules& rules, EventTime now) const {
    InvoiceSums sums;
    for (const auto& [number, invoice] : invoices_) {
      if (rules.window && now - invoice.time > *rules.window) continue;
      const std::int64_t size = std::abs(invoice.amount.units);
      if (invoice.type == InvoiceType::kCredit) {
        sums.credits.units += size;
        continue;
      }
      sums.purchases.units += size;
      std::int64_t credited = 0;
      bool named = false;
      for (const auto& [other_number, other] : invoices_) {
        if (other.type != InvoiceType::kCredit || other.original_hash != number) continue;
        credited += std::abs(other.amount.units);
        named = true;
      }
      if (named && credited >= size) continue;
      ++sums.frequency;
      sums.first_purchase = std::min(sums.first_purchase, invoice.time);
      sums.last_purchase = std::max(sums.last_purchase, invoice.time);
    }
    return sums;
  }

 private:
  std::map<std::uint64_t, LedgerInvoice> invoices_;
};

LedgerInvoice random_invoice(std::mt19937_64& random) {
  const auto below = [&](std::uint64_t end) { return random() % end; };
  LedgerInvoice invoice{.number_hash = 1 + below(12),
                        .amount = {static_cast<std::int64_t>(below(4) * 10)},
                        .time = day(static_cast<int>(below(5))),
                        .country_bits = static_cast<std::uint16_t>(below(2) * 0xfff)};
  if (below(3) == 0) {
    invoice.type = InvoiceType::kCredit;
    invoice.number_hash += 12;
    if (below(2) == 0) invoice.original_hash = 1 + below(12);
    if (below(2) == 0) invoice.amount = -invoice.amount;
  }
  if (below(4) == 0) invoice.revision = static_cast<std::int64_t>(below(3));
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
      records.push_back(random_invoice(random));
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

TEST(InvoiceLedger, TheSignOfACreditSaysNothing) {
  InvoiceLedger ledger;
  EXPECT_EQ(ledger.put(credit(1, -80, day(1)), {}, kNow), LedgerOutcome::kApplied);
  EXPECT_EQ(ledger.put(credit(1, 80, day(1)), {}, kNow), LedgerOutcome::kDuplicate);
  EXPECT_EQ(ledger.put(credit(1, -100, day(1)), {}, kNow), LedgerOutcome::kApplied);
  EXPECT_EQ(ledger.put(credit(1, 90, day(1)), {}, kNow), LedgerOutcome::kSuperseded);
  EXPECT_EQ(ledger.sums().credits, Money{100});
}

TEST(InvoiceLedger, AKnownInvoiceDoesNotOverflowWithItself) {
  constexpr std::int64_t kLarge = std::numeric_limits<std::int64_t>::max() - 10;
  InvoiceLedger ledger;
  EXPECT_EQ(ledger.put(sale(1, kLarge, day(1)), {}, kNow), LedgerOutcome::kApplied);
  EXPECT_EQ(ledger.put(sale(1, kLarge, day(1)), {}, kNow), LedgerOutcome::kDuplicate);
  EXPECT_EQ(ledger.put(sale(2, 11, day(1)), {}, kNow), LedgerOutcome::kOverflow);
  EXPECT_EQ(ledger.put(sale(1, kLarge + 10, day(1)), {}, kNow), LedgerOutcome::kApplied);
  EXPECT_EQ(ledger.put(sale(1, 5, day(2)), {}, kNow), LedgerOutcome::kApplied);
  EXPECT_EQ(ledger.put(credit(1, kLarge + 10, day(3)), {}, kNow), LedgerOutcome::kOverflow)
      << "another type: the sale may still count in a total of both";
  EXPECT_EQ(ledger.sums().purchases, Money{5});
}

}  // namespace
}  // namespace rfm
