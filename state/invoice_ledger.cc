#include "state/invoice_ledger.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <tuple>

namespace rfm {
namespace {

constexpr int kTimeBits = 43;
constexpr std::uint64_t kTimeMask = (std::uint64_t{1} << kTimeBits) - 1;
constexpr int kCountryShift = kTimeBits;
constexpr std::uint64_t kCountryMask = 0xfff;
constexpr std::uint64_t kCredit = std::uint64_t{1} << 55;
constexpr std::uint64_t kHasExtension = std::uint64_t{1} << 56;
constexpr std::uint64_t kIsExtension = std::uint64_t{1} << 57;

bool is_extension(const LedgerEntry& entry) { return (entry.word & kIsExtension) != 0; }
bool has_extension(const LedgerEntry& entry) { return (entry.word & kHasExtension) != 0; }
EventTime time_of(const LedgerEntry& entry) {
  return from_ms(static_cast<std::int64_t>(entry.word & kTimeMask));
}

bool in_window(EventTime time, const Rules& rules, EventTime now) {
  return !rules.window || now - time <= *rules.window;
}

Money magnitude(Money amount) { return amount.units < 0 ? -amount : amount; }

// Whether the customer's totals would leave an int64 with `amount` more.
bool overflows(const InvoiceSums& sums, Money amount) {
  if (amount.units == std::numeric_limits<std::int64_t>::min()) return true;
  std::int64_t total = 0;
  return __builtin_add_overflow(sums.purchases.units, sums.credits.units, &total) ||
         __builtin_add_overflow(total, magnitude(amount).units, &total);
}

// Sum of the credits that name the invoice `hash`; absent if none does.
std::optional<Money> named_credits(const std::vector<LedgerEntry>& entries, std::uint64_t hash) {
  std::optional<Money> sum;
  for (std::size_t i = 0; i + 1 < entries.size(); ++i) {
    if (!has_extension(entries[i]) || (entries[i].word & kCredit) == 0 ||
        entries[i + 1].hash != hash)
      continue;
    sum = sum.value_or(Money{}) + magnitude(Money{entries[i].amount});
  }
  return sum;
}

}  // namespace

std::size_t InvoiceLedger::find(std::uint64_t number_hash) const {
  for (std::size_t i = entries_.size(); i-- > 0;) {
    if (entries_[i].hash == number_hash && !is_extension(entries_[i])) return i;
  }
  return entries_.size();
}

LedgerInvoice InvoiceLedger::at(std::size_t index) const {
  const LedgerEntry& entry = entries_[index];
  LedgerInvoice invoice{
      .number_hash = entry.hash,
      .amount = {entry.amount},
      .time = time_of(entry),
      .type = (entry.word & kCredit) != 0 ? InvoiceType::kCredit : InvoiceType::kInvoice,
      .country_bits = static_cast<std::uint16_t>((entry.word >> kCountryShift) & kCountryMask)};
  if (has_extension(entry)) {
    invoice.original_hash = entries_[index + 1].hash;
    invoice.revision = entries_[index + 1].amount;
  }
  return invoice;
}

void InvoiceLedger::append(const LedgerInvoice& invoice) {
  const bool extended = invoice.original_hash != 0 || invoice.revision != 0;
  std::uint64_t word = static_cast<std::uint64_t>(to_ms(invoice.time)) & kTimeMask;
  word |= (std::uint64_t{invoice.country_bits} & kCountryMask) << kCountryShift;
  if (invoice.type == InvoiceType::kCredit) word |= kCredit;
  if (extended) word |= kHasExtension;
  entries_.push_back({invoice.number_hash, invoice.amount.units, word});
  if (extended) entries_.push_back({invoice.original_hash, invoice.revision, kIsExtension});
}

void InvoiceLedger::erase(std::size_t index) {
  const auto first = entries_.begin() + static_cast<std::ptrdiff_t>(index);
  entries_.erase(first, first + (has_extension(*first) ? 2 : 1));
}

LedgerOutcome InvoiceLedger::put(const LedgerInvoice& given, const Rules& rules, EventTime now) {
  if (given.time <= folded_.newest) return LedgerOutcome::kBeyondHorizon;
  if (given.amount.units == std::numeric_limits<std::int64_t>::min())
    return LedgerOutcome::kOverflow;
  LedgerInvoice invoice = given;
  // The sign of a credit says nothing.
  if (invoice.type == InvoiceType::kCredit) invoice.amount = -magnitude(invoice.amount);
  const std::size_t index = find(invoice.number_hash);
  if (index == entries_.size()) {
    if (overflows(sums_, invoice.amount)) return LedgerOutcome::kOverflow;
    append(invoice);
    count_new(invoice, rules, now);
    return LedgerOutcome::kApplied;
  }
  const LedgerInvoice known = at(index);
  if (known == invoice) return LedgerOutcome::kDuplicate;
  const auto rank = [](const LedgerInvoice& i) {
    const Money amount = i.type == InvoiceType::kCredit ? magnitude(i.amount) : i.amount;
    return std::tuple(i.revision, i.time, amount, i.type, i.original_hash, i.country_bits);
  };
  if (rank(invoice) < rank(known)) return LedgerOutcome::kSuperseded;
  const bool replaces = known.type == invoice.type && in_window(known.time, rules, now);
  const Money more = magnitude(invoice.amount) - (replaces ? magnitude(known.amount) : Money{});
  if (more > Money{} && overflows(sums_, more)) return LedgerOutcome::kOverflow;
  erase(index);
  append(invoice);
  refresh(rules, now);
  return LedgerOutcome::kApplied;
}

LedgerOutcome InvoiceLedger::add(const LedgerInvoice& invoice, const Rules& rules, EventTime now) {
  if (invoice.time <= folded_.newest) return LedgerOutcome::kBeyondHorizon;
  if (overflows(sums_, invoice.amount)) return LedgerOutcome::kOverflow;
  const std::size_t index = find(invoice.number_hash);
  if (index == entries_.size()) {
    if (invoice.type == InvoiceType::kInvoice && invoice.amount.units < 0)
      return LedgerOutcome::kNegative;
    append(invoice);
    count_new(invoice, rules, now);
    return LedgerOutcome::kApplied;
  }
  LedgerInvoice sum = at(index);
  if (__builtin_add_overflow(sum.amount.units, invoice.amount.units, &sum.amount.units)) {
    return LedgerOutcome::kOverflow;
  }
  if (sum.type == InvoiceType::kInvoice && sum.amount.units < 0) return LedgerOutcome::kNegative;
  sum.time = std::max(sum.time, invoice.time);
  erase(index);
  append(sum);
  refresh(rules, now);
  return LedgerOutcome::kApplied;
}

void InvoiceLedger::count_new(const LedgerInvoice& invoice, const Rules& rules, EventTime now) {
  const bool plain =
      !rules.window && invoice.original_hash == 0 && entries_.size() <= rules.ledger_entries_max;
  if (!plain) {
    if (entries_.size() > rules.ledger_entries_max) fold_oldest(rules, now);
    refresh(rules, now);
    return;
  }
  if (invoice.type == InvoiceType::kCredit) {
    sums_.credits = sums_.credits + magnitude(invoice.amount);
    return;
  }
  sums_.purchases = sums_.purchases + invoice.amount;
  const std::optional<Money> credited = named_credits(entries_, invoice.number_hash);
  if (credited && *credited >= invoice.amount) return;
  ++sums_.frequency;
  sums_.first_purchase = std::min(sums_.first_purchase, invoice.time);
  sums_.last_purchase = std::max(sums_.last_purchase, invoice.time);
}

InvoiceSums InvoiceLedger::recompute(const Rules& rules, EventTime now) const {
  InvoiceSums sums{.first_purchase = folded_.first_purchase,
                   .last_purchase = folded_.last_purchase,
                   .frequency = folded_.count,
                   .purchases = folded_.purchases,
                   .credits = folded_.credits};
  const bool any_named = std::ranges::any_of(entries_, has_extension);  // In few ledgers.
  for (const LedgerEntry& entry : entries_) {
    const EventTime time = time_of(entry);
    if (is_extension(entry) || !in_window(time, rules, now)) continue;
    const Money amount{entry.amount};
    if ((entry.word & kCredit) != 0) {
      sums.credits = sums.credits + magnitude(amount);
      continue;
    }
    sums.purchases = sums.purchases + amount;
    const std::optional<Money> credited =
        any_named ? named_credits(entries_, entry.hash) : std::nullopt;
    if (credited && *credited >= amount) continue;
    ++sums.frequency;
    sums.first_purchase = std::min(sums.first_purchase, time);
    sums.last_purchase = std::max(sums.last_purchase, time);
  }
  return sums;
}

EventTime InvoiceLedger::next_exit(const Rules& rules, EventTime now) const {
  if (!rules.window) return kNever;
  EventTime next = kNever;
  for (const LedgerEntry& entry : entries_) {
    const EventTime exit = time_of(entry) + *rules.window + Duration{1};
    if (!is_extension(entry) && exit > now) next = std::min(next, exit);
  }
  return next;
}

// Folds the older half, so that folding is rare. Invoices inside a finite window stay: the ledger
// grows instead.
void InvoiceLedger::fold_oldest(const Rules& rules, EventTime now) {
  using Dated = std::pair<EventTime, std::uint64_t>;
  std::vector<Dated> order;
  for (const LedgerEntry& entry : entries_) {
    if (!is_extension(entry)) order.emplace_back(time_of(entry), entry.hash);
  }
  std::sort(order.begin(), order.end());
  order.resize(order.size() / 2);
  const std::vector<LedgerEntry> before = entries_;
  for (const auto& [time, hash] : order) {
    if (rules.window && in_window(time, rules, now)) break;
    const std::size_t index = find(hash);
    const LedgerInvoice invoice = at(index);
    // A credit decides whether the invoice it names counts, for as long as that one is here.
    const bool needed =
        invoice.original_hash != 0 && find(invoice.original_hash) != entries_.size() &&
        std::ranges::find(order, invoice.original_hash, &Dated::second) == order.end();
    if (needed) continue;
    folded_.newest = std::max(folded_.newest, time);
    erase(index);
    if (rules.window) continue;  // It has left the window: it counts no more.
    if (invoice.type == InvoiceType::kCredit) {
      folded_.credits = folded_.credits + magnitude(invoice.amount);
      continue;
    }
    folded_.purchases = folded_.purchases + invoice.amount;
    const std::optional<Money> credited = named_credits(before, hash);
    if (credited && *credited >= invoice.amount) continue;
    ++folded_.count;
    folded_.first_purchase = std::min(folded_.first_purchase, time);
    folded_.last_purchase = std::max(folded_.last_purchase, time);
  }
}

std::vector<LedgerInvoice> InvoiceLedger::invoices() const {
  std::vector<LedgerInvoice> result;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!is_extension(entries_[i])) result.push_back(at(i));
  }
  return result;
}

void InvoiceLedger::restore(std::vector<LedgerEntry> entries, const FoldedInvoices& folded,
                            const InvoiceSums& sums) {
  entries_ = std::move(entries);
  folded_ = folded;
  sums_ = sums;
}

}  // namespace rfm
