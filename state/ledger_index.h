// Finds a ledger's entries by number, where a look through all of them would cost too much.
// Derived: neither stored nor compared, and a copied ledger makes its own when it grows.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "state/event_time.h"
#include "state/ledger_entry.h"
#include "state/money.h"

namespace rfm {

class LedgerIndex {
 public:
  // The credits that name one invoice.
  struct Naming {
    Money sum;                // Of those that are not void.
    std::uint32_t count = 0;  // The same.
    std::vector<std::uint64_t> numbers;
  };

  void add(const LedgerInvoice& invoice);
  void remove(const LedgerInvoice& invoice);

  std::optional<EventTime> time_of(std::uint64_t number_hash, InvoiceType type) const;
  const Naming* naming(std::uint64_t invoice_hash) const;  // Null: none does.

 private:
  using Key = std::pair<std::uint64_t, InvoiceType>;

  absl::flat_hash_map<Key, EventTime> times_;
  absl::flat_hash_map<std::uint64_t, Naming> naming_;
};

// A place for one, empty in a copy.
class LedgerIndexSlot {
 public:
  LedgerIndexSlot() = default;
  LedgerIndexSlot(const LedgerIndexSlot&) {}
  LedgerIndexSlot(LedgerIndexSlot&&) noexcept = default;
  LedgerIndexSlot& operator=(const LedgerIndexSlot& other) {
    if (this != &other) index_.reset();
    return *this;
  }
  LedgerIndexSlot& operator=(LedgerIndexSlot&&) noexcept = default;
  ~LedgerIndexSlot() = default;

  LedgerIndex* get() const { return index_.get(); }
  LedgerIndex& emplace() {
    index_ = std::make_unique<LedgerIndex>();
    return *index_;
  }
  void reset() { index_.reset(); }

 private:
  std::unique_ptr<LedgerIndex> index_;
};

}  // namespace rfm
