// The lines of recent invoices, so that a correction takes back from the sales book what it
// replaces. They are in the store, not in memory; what is not committed yet is here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "state/ledger_entry.h"
#include "state/state_store.h"

namespace rfm {

// One invoice or credit of one customer.
struct SaleKey {
  EventTime time{};
  std::uint64_t customer_hash = 0;
  InvoiceType type = InvoiceType::kInvoice;
  std::uint64_t number_hash = 0;
};

class SaleLines {
 public:
  // `store` outlives it; null: nothing is kept.
  SaleLines(StateStore* store, std::int32_t partition) : store_(store), partition_(partition) {}

  struct Kept {
    std::string country;
    std::string lines;  // pack_lines
  };
  void put(const SaleKey& key, const Kept& kept);
  void erase(const SaleKey& key);
  // Absent: it is not kept. Errors wait for `take_status`.
  std::optional<Kept> find(const SaleKey& key);

  // Of days before `day` nothing is needed any more; what the store still has of them is deleted
  // with the next commits, a bounded number at a time.
  void expire_before(std::int64_t day) { expire_before_ = day; }

  // What the next commit writes.
  void append(std::vector<StoreWrite>& writes);
  void mark_committed() { pending_.clear(); }
  absl::Status take_status() { return std::exchange(status_, absl::OkStatus()); }

 private:
  void append_expired(std::vector<StoreWrite>& writes);

  StateStore* store_;
  std::int32_t partition_;
  // By key, so that writes are in one order; absent: deleted.
  std::map<std::string, std::optional<std::string>> pending_;
  std::int64_t expire_before_ = 0;
  std::int64_t expired_before_ = 0;  // The store has nothing older than this day.
  absl::Status status_;
};

}  // namespace rfm
