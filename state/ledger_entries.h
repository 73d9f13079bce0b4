// The entries of one ledger by time, found by number and by the invoice that they name. Long ones
// have an index, so that a look-up costs about the same in all.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "state/ledger_entry.h"
#include "state/ledger_index.h"

namespace rfm {

// Positions are those of the entries that are no extensions; size() stands for none. They hold
// until the next change.
class LedgerEntries {
 public:
  std::size_t size() const { return entries_.size(); }  // Extensions too.
  bool empty() const { return entries_.empty(); }
  const LedgerEntry& operator[](std::size_t position) const { return entries_[position]; }
  const std::vector<LedgerEntry>& all() const { return entries_; }
  EventTime time(std::size_t position) const { return time_of(entries_[position]); }
  LedgerInvoice at(std::size_t position) const;

  std::size_t after(std::size_t position) const {
    return position + (has_extension(entries_[position]) ? 2 : 1);
  }
  std::size_t before(std::size_t position) const {
    return position - (is_extension(entries_[position - 1]) ? 2 : 1);
  }
  std::size_t first_from(EventTime time) const { return lower_bound({.time = time}); }

  std::size_t find(std::uint64_t number_hash, InvoiceType type) const;
  // The invoice that a credit names. `original_hash` 0: none.
  std::size_t sale(std::uint64_t original_hash) const {
    return original_hash == 0 ? size() : find(original_hash, InvoiceType::kInvoice);
  }
  // The same of the entry at `position`, if that is a credit.
  std::size_t sale_of(std::size_t position) const {
    const LedgerEntry& entry = entries_[position];
    return is_credit(entry) && has_extension(entry) ? sale(entries_[position + 1].hash) : size();
  }

  // The credits that name an invoice and are not void.
  struct Named {
    Money sum;
    bool any = false;
  };
  Named named_credits(std::uint64_t invoice_hash) const;
  // All credits that name it.
  template <class Visit>
  void for_each_naming(std::uint64_t invoice_hash, const Visit& visit) const;

  // Of all amounts: no sum of some of them is larger.
  Money magnitude_sum() const { return magnitude_sum_; }

  std::size_t insert(const LedgerInvoice& invoice);  // Its position. The number is a new one.
  void erase(std::size_t position);
  void erase(const std::vector<std::size_t>& positions);  // Ascending.

  // What was stored, in any order. False: it cannot have been a ledger.
  [[nodiscard]] bool restore(const std::vector<LedgerEntry>& stored);

  friend bool operator==(const LedgerEntries& a, const LedgerEntries& b) {
    return a.entries_ == b.entries_;
  }

 private:
  struct Place {
    EventTime time{};
    std::uint64_t hash = 0;
    bool credit = false;

    friend auto operator<=>(const Place&, const Place&) = default;
  };

  static Place place_of(const LedgerEntry& entry) {
    return {.time = time_of(entry), .hash = entry.hash, .credit = is_credit(entry)};
  }
  std::size_t lower_bound(const Place& place) const;
  void forget(std::size_t position);
  void index_if_long();

  std::vector<LedgerEntry> entries_;  // By place; an extension follows its entry.
  // Derived:
  Money magnitude_sum_;
  std::uint32_t naming_count_ = 0;  // Credits that name an invoice.
  LedgerIndexSlot index_;
};

template <class Visit>
void LedgerEntries::for_each_naming(std::uint64_t invoice_hash, const Visit& visit) const {
  if (naming_count_ == 0) return;
  if (const LedgerIndex* index = index_.get()) {
    const LedgerIndex::Naming* naming = index->naming(invoice_hash);
    if (naming == nullptr) return;
    for (const std::uint64_t number : naming->numbers) visit(find(number, InvoiceType::kCredit));
    return;
  }
  for (std::size_t i = 0; i < entries_.size(); i = after(i)) {
    if (is_credit(entries_[i]) && has_extension(entries_[i]) &&
        entries_[i + 1].hash == invoice_hash)
      visit(i);
  }
}

}  // namespace rfm
