// An invoice or credit as the ledger knows it, and its stored form of 24 bytes.
#pragma once

#include <cstdint>

#include "state/event_time.h"
#include "state/money.h"

namespace rfm {

enum class InvoiceType : std::uint8_t { kInvoice, kCredit };

// What the ledger keeps of an invoice or credit. Invoices and credits have separate numbers.
struct LedgerInvoice {
  std::uint64_t number_hash = 0;
  Money amount;  // Signed sum of the lines. A credit counts as -|amount|.
  EventTime time{};
  InvoiceType type = InvoiceType::kInvoice;
  std::uint16_t country_bits =
      0;  // country_bits (hashes.h): only to tell a correction from a duplicate.
  std::uint64_t original_hash = 0;  // The invoice that a credit names; 0: none.
  std::int64_t revision = 0;        // 0: none.
  bool is_void =
      false;  // Cancelled as a whole: worth nothing, and so are the credits that name it.

  friend bool operator==(const LedgerInvoice&, const LedgerInvoice&) = default;
};

inline bool names_invoice(const LedgerInvoice& invoice) {
  return invoice.type == InvoiceType::kCredit && invoice.original_hash != 0;
}

// A credit that names its invoice, and an invoice with a revision, take a second entry
// (an extension): {original_hash, revision}.
struct LedgerEntry {
  std::uint64_t hash = 0;
  std::int64_t amount = 0;
  // Bits 0-42 time in ms, 43-54 country, then the flags below.
  std::uint64_t word = 0;

  friend bool operator==(const LedgerEntry&, const LedgerEntry&) = default;
};
static_assert(sizeof(LedgerEntry) == 24);

inline constexpr int kLedgerTimeBits = 43;
inline constexpr std::uint64_t kLedgerTimeMask = (std::uint64_t{1} << kLedgerTimeBits) - 1;
inline constexpr std::uint64_t kLedgerCountryMask = 0xfff;
inline constexpr std::uint64_t kLedgerCredit = std::uint64_t{1} << 55;
inline constexpr std::uint64_t kLedgerHasExtension = std::uint64_t{1} << 56;
inline constexpr std::uint64_t kLedgerIsExtension = std::uint64_t{1} << 57;
inline constexpr std::uint64_t kLedgerVoid = std::uint64_t{1} << 58;

inline bool is_extension(const LedgerEntry& e) { return (e.word & kLedgerIsExtension) != 0; }
inline bool has_extension(const LedgerEntry& e) { return (e.word & kLedgerHasExtension) != 0; }
inline bool is_credit(const LedgerEntry& e) { return (e.word & kLedgerCredit) != 0; }
inline bool is_void(const LedgerEntry& e) { return (e.word & kLedgerVoid) != 0; }
inline EventTime time_of(const LedgerEntry& e) {
  return from_ms(static_cast<std::int64_t>(e.word & kLedgerTimeMask));
}

inline std::size_t entry_count(const LedgerInvoice& invoice) {
  return invoice.original_hash != 0 || invoice.revision != 0 ? 2 : 1;
}
inline LedgerEntry to_entry(const LedgerInvoice& invoice) {
  std::uint64_t word = static_cast<std::uint64_t>(to_ms(invoice.time)) & kLedgerTimeMask;
  word |= (std::uint64_t{invoice.country_bits} & kLedgerCountryMask) << kLedgerTimeBits;
  if (invoice.type == InvoiceType::kCredit) word |= kLedgerCredit;
  if (entry_count(invoice) == 2) word |= kLedgerHasExtension;
  if (invoice.is_void) word |= kLedgerVoid;
  return {invoice.number_hash, invoice.amount.units, word};
}
inline LedgerEntry to_extension(const LedgerInvoice& invoice) {
  return {invoice.original_hash, invoice.revision, kLedgerIsExtension};
}

}  // namespace rfm
