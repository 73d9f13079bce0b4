#include "state/ledger_entries.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

namespace rfm {
namespace {

// Longer ones have an index.
constexpr std::size_t kScannedMax = 256;

}  // namespace

LedgerInvoice LedgerEntries::at(std::size_t position) const {
  const LedgerEntry& entry = entries_[position];
  LedgerInvoice invoice{.number_hash = entry.hash,
                        .amount = {entry.amount},
                        .time = time_of(entry),
                        .type = is_credit(entry) ? InvoiceType::kCredit : InvoiceType::kInvoice,
                        .country_bits = static_cast<std::uint16_t>((entry.word >> kLedgerTimeBits) &
                                                                   kLedgerCountryMask),
                        .is_void = is_void(entry)};
  if (has_extension(entry)) {
    invoice.original_hash = entries_[position + 1].hash;
    invoice.revision = entries_[position + 1].amount;
  }
  return invoice;
}

std::size_t LedgerEntries::lower_bound(const Place& place) const {
  std::size_t low = 0;
  std::size_t high = entries_.size();
  if (high == 0 || place_of(entries_[before(high)]) < place) return high;
  while (low < high) {
    std::size_t middle = low + (high - low) / 2;
    if (is_extension(entries_[middle])) --middle;
    if (place_of(entries_[middle]) < place) {
      low = after(middle);
    } else {
      high = middle;
    }
  }
  return low;
}

std::size_t LedgerEntries::find(std::uint64_t number_hash, InvoiceType type) const {
  const std::uint64_t credit = type == InvoiceType::kCredit ? kLedgerCredit : 0;
  if (const LedgerIndex* index = index_.get()) {
    const std::optional<EventTime> time = index->time_of(number_hash, type);
    return time ? lower_bound({*time, number_hash, credit != 0}) : size();
  }
  for (std::size_t i = entries_.size(); i-- > 0;) {
    const LedgerEntry& entry = entries_[i];
    if (entry.hash == number_hash && (entry.word & (kLedgerIsExtension | kLedgerCredit)) == credit)
      return i;
  }
  return size();
}

LedgerEntries::Named LedgerEntries::named_credits(std::uint64_t invoice_hash) const {
  Named named;
  if (naming_count_ == 0) return named;
  if (const LedgerIndex* index = index_.get()) {
    const LedgerIndex::Naming* naming = index->naming(invoice_hash);
    if (naming != nullptr) named = {.sum = naming->sum, .any = naming->count > 0};
    return named;
  }
  for_each_naming(invoice_hash, [&](std::size_t i) {
    if (is_void(entries_[i])) return;
    named = {.sum = named.sum + magnitude({entries_[i].amount}), .any = true};
  });
  return named;
}

std::size_t LedgerEntries::insert(const LedgerInvoice& invoice) {
  const LedgerEntry entry = to_entry(invoice);
  const std::size_t position = lower_bound(place_of(entry));
  const std::array<LedgerEntry, 2> made = {entry, to_extension(invoice)};
  entries_.insert(entries_.begin() + static_cast<std::ptrdiff_t>(position), made.begin(),
                  made.begin() + static_cast<std::ptrdiff_t>(entry_count(invoice)));
  magnitude_sum_ = magnitude_sum_ + magnitude(invoice.amount);
  if (names_invoice(invoice)) ++naming_count_;
  if (LedgerIndex* index = index_.get()) {
    index->add(invoice);
  } else {
    index_if_long();
  }
  return position;
}

void LedgerEntries::index_if_long() {
  if (size() <= kScannedMax) return;
  LedgerIndex& index = index_.emplace();
  for (std::size_t i = 0; i < size(); i = after(i)) index.add(at(i));
}

// All that is derived from the entry.
void LedgerEntries::forget(std::size_t position) {
  const LedgerInvoice invoice = at(position);
  magnitude_sum_ = magnitude_sum_ - magnitude(invoice.amount);
  if (names_invoice(invoice)) --naming_count_;
  if (LedgerIndex* index = index_.get()) index->remove(invoice);
}

void LedgerEntries::erase(std::size_t position) {
  forget(position);
  const auto first = entries_.begin() + static_cast<std::ptrdiff_t>(position);
  entries_.erase(first, first + (has_extension(*first) ? 2 : 1));
}

void LedgerEntries::erase(const std::vector<std::size_t>& positions) {
  if (positions.empty()) return;
  for (const std::size_t position : positions) forget(position);
  auto doomed = positions.begin();
  auto kept = entries_.begin() + static_cast<std::ptrdiff_t>(*doomed);
  for (std::size_t i = *doomed; i < size();) {
    const std::size_t next = after(i);
    if (doomed != positions.end() && *doomed == i) {
      ++doomed;
    } else {
      kept = std::copy(entries_.begin() + static_cast<std::ptrdiff_t>(i),
                       entries_.begin() + static_cast<std::ptrdiff_t>(next), kept);
    }
    i = next;
  }
  entries_.erase(kept, entries_.end());
  if (size() < kScannedMax / 2) index_.reset();
}

bool LedgerEntries::restore(const std::vector<LedgerEntry>& stored) {
  *this = LedgerEntries{};
  std::vector<std::pair<Place, std::size_t>> heads;
  heads.reserve(stored.size());
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const LedgerEntry& entry = stored[i];
    if (is_extension(entry) || entry.amount == std::numeric_limits<std::int64_t>::min() ||
        __builtin_add_overflow(sum, magnitude({entry.amount}).units, &sum))
      return false;
    heads.emplace_back(place_of(entry), i);
    if (!has_extension(entry)) continue;
    ++i;
    if (i == stored.size() || !is_extension(stored[i])) return false;
  }
  std::ranges::sort(heads);
  entries_.reserve(stored.size());
  for (const auto& [place, i] : heads) {
    const std::size_t position = size();
    entries_.push_back(stored[i]);
    if (has_extension(stored[i])) entries_.push_back(stored[i + 1]);
    if (names_invoice(at(position))) ++naming_count_;
  }
  magnitude_sum_ = {sum};
  index_if_long();
  return true;
}

}  // namespace rfm
