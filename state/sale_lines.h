// The lines of recent invoices, so that a correction takes back from the sales book what it
// replaces. They are in the store, not in memory; what is not committed yet is here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "state/ledger_entry.h"
#include "state/sales_book.h"
#include "state/state_store.h"

namespace rfm {

// One invoice or credit of one customer.
struct SaleKey {
  EventTime time{};
  std::uint64_t customer_hash = 0;
  InvoiceType type = InvoiceType::kInvoice;
  std::uint64_t number_hash = 0;

  friend bool operator==(const SaleKey&, const SaleKey&) = default;
  template <class Hash>
  friend Hash AbslHashValue(Hash hash, const SaleKey& key) {
    return Hash::combine(std::move(hash), key.customer_hash, key.number_hash);
  }
};

class SaleLines {
 public:
  // `store` outlives it; null: nothing is kept.
  SaleLines(StateStore* store, std::int32_t partition) : store_(store), partition_(partition) {}

  void put(const SaleKey& key, std::string_view country, std::span<const BookedLine> lines);
  void erase(const SaleKey& key);
  struct Kept {
    std::string country;
    std::vector<BookedLine> lines;
  };
  // Absent: it is not kept. Errors wait for `take_status`.
  std::optional<Kept> find(const SaleKey& key);

  // Of days before `day` nothing is needed any more; what the store still has of them is deleted
  // with the next commits, a bounded number at a time.
  void expire_before(std::int64_t day) { expire_before_ = day; }

  // What the next commit writes; nothing is looked for between this and `mark_committed`.
  void append(std::vector<StoreWrite>& writes);
  void mark_committed();
  std::size_t pending_count() const { return pending_.size(); }
  absl::Status take_status() { return std::exchange(status_, absl::OkStatus()); }

 private:
  struct Change {
    SaleKey key;
    std::optional<std::string> value;  // Absent: deleted.
  };

  void append_expired(std::vector<StoreWrite>& writes);

  StateStore* store_;
  std::int32_t partition_;
  std::vector<Change> pending_;  // The last one of a key holds.
  // Of the first `indexed_` of them the last one of each key; made when one is looked for.
  absl::flat_hash_map<SaleKey, std::size_t> index_;
  std::size_t indexed_ = 0;
  std::string packed_;  // Scratch.
  std::int64_t expire_before_ = 0;
  std::int64_t expired_before_ = 0;  // The store has nothing older than this day.
  absl::Status status_;
};

}  // namespace rfm
