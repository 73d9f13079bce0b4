// Goal: a customer's sums are what the records say, in whatever order they come.
// Method: an example for each rule. Random ones: ledger_property_test.cc.
#include "state/invoice_ledger.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

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

Rules folding_beyond(std::uint32_t entries) {
  Rules rules;
  rules.ledger_entries_max = entries;
  rules.ledger_fold_age = {};
  return rules;
}

TEST(InvoiceLedger, FoldingTheOldestChangesNoSum) {
  const Rules rules = folding_beyond(16);
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

TEST(InvoiceLedger, FoldsWholeInstantsThatAreOldEnoughDownToTheMaximum) {
  Rules rules;
  rules.ledger_entries_max = 4;
  InvoiceLedger ledger;
  std::uint64_t number = 0;
  // Times of day granularity: three invoices at each.
  for (int n = 0; n < 9; ++n) ledger.put(sale(++number, 1, day(n / 3)), rules, day(2));
  EXPECT_EQ(ledger.folded(), FoldedInvoices{}) << "all are newer than the age";
  EXPECT_EQ(ledger.entries().size(), 9U);
  // Exactly the age is not older; a whole instant goes, although one entry would be enough.
  ledger.put(sale(++number, 1, day(30)), rules, day(30));
  EXPECT_EQ(ledger.entries().size(), 10U);
  ledger.put(sale(++number, 1, day(30)), rules, day(30) + Duration{1});
  EXPECT_EQ(ledger.entries().size(), 8U);
  EXPECT_EQ(ledger.folded().newest, day(0));
  ledger.put(sale(++number, 1, day(60)), rules, day(60));
  EXPECT_EQ(ledger.folded().newest, day(2)) << "down to the maximum";
  EXPECT_EQ(ledger.entries().size(), 3U);
  EXPECT_EQ(ledger.sums().frequency, 12U);
  EXPECT_EQ(ledger.sums().first_purchase, day(0));
}

TEST(InvoiceLedger, FoldsNoMoreThanIsBeyondTheMaximum) {
  Rules rules;
  rules.ledger_entries_max = 8;
  InvoiceLedger ledger;
  for (int n = 0; n < 9; ++n)
    ledger.put(sale(static_cast<std::uint64_t>(n) + 1, 1, day(n)), rules, day(n));
  EXPECT_EQ(ledger.entries().size(), 9U);
  ledger.put(sale(10, 1, day(60)), rules, day(60));
  EXPECT_EQ(ledger.entries().size(), 8U);
  EXPECT_EQ(ledger.folded().newest, day(1));
}

TEST(InvoiceLedger, ASaleAndTheCreditsThatNameItFoldTogether) {
  Rules rules;
  rules.ledger_entries_max = 1;
  InvoiceLedger ledger;
  ledger.put(sale(1, 100, day(0)), rules, day(0));
  ledger.put(credit(2, 40, day(50), 1), rules, day(50));
  EXPECT_EQ(ledger.folded(), FoldedInvoices{}) << "the credit may still be revised";
  ledger.put(credit(2, 100, day(51), 1), rules, day(51));
  EXPECT_EQ(ledger.sums().frequency, 0U);
  ledger.put(sale(3, 5, day(90)), rules, day(90));
  EXPECT_EQ(ledger.folded().count, 0U);
  EXPECT_EQ(ledger.folded().purchases, Money{100});
  EXPECT_EQ(ledger.folded().credits, Money{100});
  EXPECT_EQ(ledger.folded().newest, day(51));
  EXPECT_EQ(ledger.put(credit(2, 100, day(51), 1), rules, day(90)), LedgerOutcome::kBeyondHorizon);
}

TEST(InvoiceLedger, IsFullOfWhatCannotFold) {
  Rules rules;
  rules.ledger_entries_max = 2;
  rules.ledger_hard_max = 6;
  InvoiceLedger ledger;
  for (std::uint64_t n = 1; n <= 6; ++n) ledger.put(sale(n, 1, day(0)), rules, day(0));
  const InvoiceLedger before = ledger;
  EXPECT_EQ(ledger.put(sale(7, 1, day(1)), rules, day(1)), LedgerOutcome::kFull);
  EXPECT_EQ(ledger.add(sale(7, 1, day(1)), rules, day(1)), LedgerOutcome::kFull);
  EXPECT_EQ(ledger, before);
  EXPECT_EQ(ledger.put(sale(6, 2, day(1)), rules, day(1)), LedgerOutcome::kApplied) << "known";
  LedgerInvoice revised = sale(6, 3, day(1));
  revised.revision = 1;
  EXPECT_EQ(ledger.put(revised, rules, day(1)), LedgerOutcome::kFull) << "takes one entry more";
  EXPECT_EQ(ledger.put(sale(7, 1, day(31)), rules, day(31)), LedgerOutcome::kApplied);
  EXPECT_EQ(ledger.entries().size(), 2U);
}

TEST(InvoiceLedger, WhatIsNotLaterThanTheFoldedOnesIsBeyondTheHorizon) {
  const Rules rules = folding_beyond(4);
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
  EXPECT_EQ(ledger.put(sale(4, 1, day(4)), rules, kNow), LedgerOutcome::kDuplicate);
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
}

TEST(InvoiceLedger, LinesThatAddUpToLessThanZeroCountLikeAnUnnamedCredit) {
  const std::vector<LedgerInvoice> lines = {sale(1, -30, day(1)), sale(2, 5, day(2)),
                                            sale(1, 100, day(1))};
  std::vector<std::size_t> order = {0, 1, 2};
  do {
    InvoiceLedger ledger;
    Money sum;
    for (const std::size_t i : order) {
      EXPECT_EQ(ledger.add(lines[i], {}, kNow), LedgerOutcome::kApplied);
      sum = sum + lines[i].amount;
      EXPECT_EQ(ledger.sums().purchases - ledger.sums().credits, sum);
    }
    EXPECT_EQ(ledger.sums().frequency, 2U);
    EXPECT_EQ(ledger.sums().purchases, Money{75});
    EXPECT_EQ(ledger.sums().credits, Money{});
  } while (std::ranges::next_permutation(order).found);
  InvoiceLedger negative;
  negative.add(lines[0], {}, kNow);
  EXPECT_EQ(negative.sums().frequency, 0U);
  EXPECT_EQ(negative.sums().credits, Money{30});
}

TEST(InvoiceLedger, InvoicesAndCreditsHaveSeparateNumbers) {
  // A refund bears the number of its order, at another time and at the same one.
  for (const EventTime at : {day(1), day(3)}) {
    for (const std::uint64_t original : {std::uint64_t{0}, std::uint64_t{1}}) {
      const std::vector<LedgerInvoice> both = {sale(1, 403, day(1)), credit(1, 100, at, original)};
      for (const bool sale_first : {false, true}) {
        InvoiceLedger ledger;
        for (const std::size_t i : {sale_first ? 0U : 1U, sale_first ? 1U : 0U})
          EXPECT_EQ(ledger.put(both[i], {}, kNow), LedgerOutcome::kApplied);
        EXPECT_EQ(ledger.sums().frequency, 1U);
        EXPECT_EQ(ledger.sums().purchases, Money{403});
        EXPECT_EQ(ledger.sums().credits, Money{100});
        EXPECT_EQ(ledger.put(credit(1, 90, at, original), {}, kNow), LedgerOutcome::kSuperseded)
            << "two credits of one number are revisions of one";
      }
    }
  }
}

TEST(InvoiceLedger, AVoidSaleIsWorthNothingAndNeitherAreItsNamedCredits) {
  InvoiceLedger ledger;
  ledger.put(sale(1, 100, day(1)), {}, kNow);
  ledger.put(credit(2, 30, day(2), 1), {}, kNow);
  LedgerInvoice cancelled = sale(1, 100, day(1));
  cancelled.is_void = true;
  EXPECT_EQ(ledger.put(cancelled, {}, kNow), LedgerOutcome::kApplied) << "wins at equal times";
  EXPECT_EQ(ledger.sums(), InvoiceSums{});
  EXPECT_EQ(ledger.put(cancelled, {}, kNow), LedgerOutcome::kDuplicate);
  EXPECT_EQ(ledger.put(sale(1, 100, day(1)), {}, kNow), LedgerOutcome::kSuperseded);
  LedgerInvoice revived = sale(1, 80, day(1));
  revived.revision = 1;
  EXPECT_EQ(ledger.put(revived, {}, kNow), LedgerOutcome::kApplied);
  EXPECT_EQ(ledger.sums().frequency, 1U);
  EXPECT_EQ(ledger.sums().purchases, Money{80});
  EXPECT_EQ(ledger.sums().credits, Money{30});
}

TEST(InvoiceLedger, ANamedCreditLeavesTheWindowWithItsSale) {
  Rules rules;
  rules.window = std::chrono::hours{24 * 30};
  InvoiceLedger later;
  later.put(sale(1, 100, day(0)), rules, day(0));
  later.put(credit(2, 100, day(20), 1), rules, day(20));
  later.put(sale(3, 500, day(21)), rules, day(21));
  EXPECT_EQ(later.next_exit(rules, day(21)), day(30) + Duration{1});
  later.refresh(rules, day(35));
  EXPECT_EQ(later.sums().purchases, Money{500});
  EXPECT_EQ(later.sums().credits, Money{});
  EXPECT_EQ(later.next_exit(rules, day(35)), day(51) + Duration{1}) << "not when the credit is old";

  InvoiceLedger before;
  before.put(credit(2, 100, day(0), 1), rules, day(0));
  before.put(sale(1, 100, day(20)), rules, day(20));
  before.put(sale(3, 500, day(21)), rules, day(21));
  before.refresh(rules, day(35));
  EXPECT_EQ(before.sums().purchases - before.sums().credits, Money{500});
  EXPECT_EQ(before.sums().frequency, 1U);
}

TEST(InvoiceLedger, NamedCreditsDoNotOverflow) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  Rules rules;
  rules.window = std::chrono::hours{24 * 10};
  InvoiceLedger ledger;
  // Each has left the window before the next one comes.
  EXPECT_EQ(ledger.put(credit(2, kMax, day(0), 1), rules, day(0)), LedgerOutcome::kApplied);
  EXPECT_EQ(ledger.put(credit(3, kMax, day(20), 1), rules, day(20)), LedgerOutcome::kOverflow);
  EXPECT_EQ(ledger.put(sale(1, 0, day(20)), rules, day(20)), LedgerOutcome::kApplied);
  EXPECT_EQ(ledger.sums(), ledger.recompute(rules, day(20)));
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
      << "a document of its own";
  EXPECT_EQ(ledger.sums().purchases, Money{5});
}

}  // namespace
}  // namespace rfm
