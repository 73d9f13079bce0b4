#include "state/ledger_index.h"

#include <algorithm>

#include "state/assertion.h"

namespace rfm {

void LedgerIndex::add(const LedgerInvoice& invoice) {
  times_.insert_or_assign(Key{invoice.number_hash, invoice.type}, invoice.time);
  if (!names_invoice(invoice)) return;
  Naming& naming = naming_[invoice.original_hash];
  naming.numbers.push_back(invoice.number_hash);
  if (invoice.is_void) return;
  naming.sum = naming.sum + magnitude(invoice.amount);
  ++naming.count;
}

void LedgerIndex::remove(const LedgerInvoice& invoice) {
  times_.erase(Key{invoice.number_hash, invoice.type});
  if (!names_invoice(invoice)) return;
  const auto found = naming_.find(invoice.original_hash);
  RFM_ASSERT(found != naming_.end());
  Naming& naming = found->second;
  const auto number = std::ranges::find(naming.numbers, invoice.number_hash);
  RFM_ASSERT(number != naming.numbers.end());
  *number = naming.numbers.back();
  naming.numbers.pop_back();
  if (naming.numbers.empty()) {
    naming_.erase(found);
  } else if (!invoice.is_void) {
    naming.sum = naming.sum - magnitude(invoice.amount);
    --naming.count;
  }
}

std::optional<EventTime> LedgerIndex::time_of(std::uint64_t number_hash, InvoiceType type) const {
  const auto found = times_.find(Key{number_hash, type});
  return found == times_.end() ? std::nullopt : std::optional(found->second);
}

const LedgerIndex::Naming* LedgerIndex::naming(std::uint64_t invoice_hash) const {
  const auto found = naming_.find(invoice_hash);
  return found == naming_.end() ? nullptr : &found->second;
}

}  // namespace rfm
