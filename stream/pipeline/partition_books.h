// The books of one partition: sales and moves, added up as its records are applied, and the lines
// of recent invoices. They change with the rows and are committed with them.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "state/advance.h"
#include "state/book.h"
#include "state/moves_book.h"
#include "state/sale_lines.h"
#include "state/sales_book.h"
#include "state/segment_names.h"
#include "state/time_context.h"
#include "stream/decode/event.h"
#include "stream/format/partition_meta.h"
#include "stream/format/transition_writer.h"

namespace rfm {

class PartitionBooks {
 public:
  // What `logs` refers to and `store` outlive it; without a store no lines are kept.
  PartitionBooks(const TimeContext& logs, StateStore* store, std::int32_t partition);

  // What a line of an invoice sells, until that settles.
  void keep(const LineEvent& line, OpenInvoice& open);
  // A sale of nobody.
  void book(const AnonymousSale& sale);
  // An invoice or credit of the customer `row`, which is applied. `replaced`: what the ledger had
  // of its number before.
  void book(const CustomerRow& row, const InvoiceEvent& event,
            const std::optional<LedgerInvoice>& replaced, EventTime watermark);
  // Lines that have settled.
  void book(const CustomerRow& row, const SettledInvoice& settled);
  // What one step of a customer did (moves_book.h), whose partition goes live as `context` says.
  void book(CustomerRow& row, const TransitionBuffer& done, const TransitionContext& context);
  // Before the row is gone: what was sold stays sold, of its lines nothing is kept.
  void erase(const CustomerRow& row);

  bool keeps_sales() const { return rules_.keeps_sales; }
  bool keeps_moves() const { return rules_.keeps_moves; }

  const Book& cells() const { return book_; }
  // The name that a cell of moves, or a row's history, has a number for.
  std::string_view name_of(std::uint32_t id) const { return names_.name_of(id); }

  // From when on they count: what happened before was applied by a version without books. Absent:
  // from the first record on.
  std::optional<EventTime> since() const;

  // At start: cells as the store holds them, then `index`; `meta` is where the partition is.
  [[nodiscard]] bool restore(std::string_view key, std::string_view bytes) {
    return book_.restore(key, bytes);
  }
  void forget(std::string_view key) { book_.forget(key); }
  void index(const PartitionMeta& meta);

  // What the next commit writes.
  void append(std::int32_t partition, std::vector<StoreWrite>& writes);
  std::size_t dirty_count() const { return book_.dirty_count() + lines_.pending_count(); }
  void mark_committed();
  // Of what was read of the store since the last call.
  absl::Status take_status() { return lines_.take_status(); }

 private:
  std::span<const BookedLine> introduced(std::span<const SoldLine> lines, EventTime time);
  std::string take_back(const CustomerRow& row, const LedgerInvoice& replaced);
  void recount_customers(const CustomerRow& row, const std::optional<LedgerInvoice>& from,
                         std::string_view from_country, const LedgerInvoice& to,
                         std::string_view country);

  const TimeContext logs_;
  const Rules& rules_;  // The first ones.
  Book book_;
  SalesBook sales_;
  mutable SegmentNames names_;  // Reads names when it is asked for them.
  MovesBook moves_;
  SaleLines lines_;
  std::vector<BookedLine> introduced_;  // Scratch, like `booked_`.
  std::vector<BookedMove> booked_;
};

}  // namespace rfm
