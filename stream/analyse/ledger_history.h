// A customer's ledger as a history: what was bought when, and what was booked when. The whole of
// what is kept counts, whatever window recency, frequency and monetary look through.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "state/invoice_ledger.h"
#include "state/rules.h"

namespace rfm {

// An invoice that counts in frequency.
struct Purchase {
  EventTime time{};
  Money value;  // Less the credits that name it.

  friend bool operator==(const Purchase&, const Purchase&) = default;
};

// An amount on its own day: a sale, or a credit as less than zero.
struct BookedAmount {
  EventTime time{};
  Money amount;

  friend bool operator==(const BookedAmount&, const BookedAmount&) = default;
};

// What had been bought before an instant, of the invoices as they stand now.
struct PastSums {
  std::uint32_t frequency = 0;
  EventTime first_purchase{};  // Meaningful if frequency > 0, like the next.
  EventTime last_purchase{};
  Money monetary;
};

// Invoices that the ledger has folded together are known as sums only. They count as one booking at
// their last purchase (without one, at the newest of them), and as purchases all through the time
// from the first to the last.
class LedgerHistory {
 public:
  // Takes the place of what was read before; keeps its memory.
  void read(const InvoiceLedger& ledger);

  std::span<const Purchase> purchases() const { return purchases_; }    // By time; none folded.
  std::span<const BookedAmount> bookings() const { return bookings_; }  // In no particular order.
  const FoldedInvoices& folded() const { return folded_; }

  bool has_purchase() const { return folded_.count > 0 || !purchases_.empty(); }
  // Meaningful if there is one.
  EventTime first_purchase() const;

  // Sales less credits, booked in (from, to].
  Money net_spend(EventTime from, EventTime to) const;

  // As of `at`, through the window that `rules` look through and net or gross as they say. What is
  // folded counts only as a whole, where all of it is before `at` and there is no window.
  PastSums sums_before(EventTime at, const Rules& rules) const;

 private:
  std::vector<Purchase> purchases_;
  std::vector<BookedAmount> bookings_;
  FoldedInvoices folded_;
};

}  // namespace rfm
