#include "stream/pipeline/partition_books.h"

#include <string>

#include "state/epoch.h"
#include "state/hashes.h"

namespace rfm {
namespace {

SaleKey key_of(const CustomerRow& row, const LedgerInvoice& invoice) {
  return {.time = invoice.time,
          .customer_hash = row.id_hash,
          .type = invoice.type,
          .number_hash = invoice.number_hash};
}

bool is_purchase(const LedgerInvoice& invoice) {
  return invoice.type == InvoiceType::kInvoice && !invoice.is_void && !(invoice.amount < Money{});
}

// Whether the customer has bought on that day in that country, but for the invoice of that number.
bool has_other_purchase(const LedgerEntries& entries, const LedgerInvoice& place,
                        std::uint64_t number_hash) {
  const std::int64_t day = epoch_of(place.time);
  for (std::size_t i = entries.first_from(boundary_of(day));
       i < entries.size() && entries.time(i) < boundary_of(day + 1); i = entries.after(i)) {
    const LedgerInvoice other = entries.at(i);
    if (is_purchase(other) && other.country_bits == place.country_bits &&
        other.number_hash != number_hash)
      return true;
  }
  return false;
}

}  // namespace

PartitionBooks::PartitionBooks(const TimeContext& logs, StateStore* store, std::int32_t partition)
    : logs_(logs),
      rules_(logs.rules),
      sales_(book_, logs.rules),
      names_(logs),
      moves_(book_, names_),
      lines_(logs.rules.keeps_sales && logs.rules.sales_undo > Duration{0} ? store : nullptr,
             partition) {}

void PartitionBooks::keep(const LineEvent& line, OpenInvoice& open) {
  if (!keeps_sales() || open.sold_lines.size() >= OpenInvoice::kLinesBytesMax) return;
  pack_line(sales_.introduce(line.sold(), line.invoice_time), open.sold_lines);
}

std::span<const BookedLine> PartitionBooks::introduced(std::span<const SoldLine> lines,
                                                       EventTime time) {
  introduced_.clear();
  for (const SoldLine& line : lines) introduced_.push_back(sales_.introduce(line, time));
  return introduced_;
}

void PartitionBooks::book(const AnonymousSale& sale) {
  if (!keeps_sales()) return;
  sales_.book({.time = sale.invoice_time,
               .country = sale.country,
               .type = sale.type,
               .amount = sale.amount,
               .lines = introduced(sale.lines, sale.invoice_time)},
              Buyer::kUnnamed, Booking::kAdd);
}

void PartitionBooks::book(const CustomerRow& row, const InvoiceEvent& event,
                          const std::optional<LedgerInvoice>& replaced, EventTime watermark) {
  if (!keeps_sales()) return;
  lines_.expire_before(epoch_of(watermark - rules_.sales_undo));
  std::string from_country;
  if (replaced && !replaced->is_void) from_country = take_back(row, *replaced);
  const LedgerInvoice to{.number_hash = invoice_hash(event.invoice_no),
                         .amount = event.amount,
                         .time = event.invoice_time,
                         .type = event.type,
                         .country_bits = country_bits(event.country),
                         .is_void = event.is_void};
  if (!event.is_void) {
    const std::span<const BookedLine> lines = introduced(event.lines, event.invoice_time);
    sales_.book({.time = event.invoice_time,
                 .country = event.country,
                 .type = event.type,
                 .amount = event.amount,
                 .lines = lines},
                Buyer::kKnown, Booking::kAdd);
    if (!lines.empty()) lines_.put(key_of(row, to), event.country, lines);
  }
  recount_customers(row, replaced, from_country, to, event.country);
}

// With its lines where they are kept, else by what the ledger knows. Returns the country.
std::string PartitionBooks::take_back(const CustomerRow& row, const LedgerInvoice& replaced) {
  const SaleKey key = key_of(row, replaced);
  std::optional<SaleLines::Kept> kept = lines_.find(key);
  if (kept) {
    lines_.erase(key);
  } else {
    kept.emplace().country = sales_.country_of(replaced.country_bits);
  }
  sales_.book({.time = replaced.time,
               .country = kept->country,
               .type = replaced.type,
               .amount = replaced.amount,
               .lines = kept->lines},
              Buyer::kKnown, Booking::kTakeBack);
  return std::move(kept->country);
}

void PartitionBooks::book(const CustomerRow& row, const SettledInvoice& settled) {
  if (!keeps_sales() || is_refused(settled.outcome)) return;
  const OpenInvoice& open = settled.invoice;
  unpack_lines(open.sold_lines, introduced_);
  sales_.book({.time = open.last_line,
               .country = open.country,
               .type = open.type,
               .amount = open.sum,
               .lines = introduced_},
              Buyer::kKnown, settled.replaced ? Booking::kAmend : Booking::kAdd);
  const std::string from_country =
      settled.replaced ? sales_.country_of(settled.replaced->country_bits) : std::string();
  recount_customers(row, settled.replaced, from_country, settled.entry, open.country);
}

// How many customers have bought on a day in a country changes where this customer's only purchase
// there comes or goes.
void PartitionBooks::recount_customers(const CustomerRow& row,
                                       const std::optional<LedgerInvoice>& from,
                                       std::string_view from_country, const LedgerInvoice& to,
                                       std::string_view country) {
  const LedgerEntries& entries = row.ledger.entries();
  const bool counted = from && is_purchase(*from);
  const bool counts = is_purchase(to);
  const bool is_same_place =
      from && epoch_of(from->time) == epoch_of(to.time) && from->country_bits == to.country_bits;
  if (counted && !(is_same_place && counts) &&
      !has_other_purchase(entries, *from, from->number_hash))
    sales_.add_customers(from->time, from_country, -1);
  if (!counts || (is_same_place && counted) || has_other_purchase(entries, to, to.number_hash))
    return;
  const bool is_stated = country_bits(country) == to.country_bits;
  sales_.add_customers(to.time, is_stated ? country : sales_.country_of(to.country_bits), 1);
}

void PartitionBooks::book(CustomerRow& row, const TransitionBuffer& done,
                          const TransitionContext& context) {
  if (!keeps_moves()) return;
  booked_.clear();
  for (const Transition& transition : done.transitions) {
    const TransitionSubject subject{
        .id = row.id, .birth = row.birth, .consent = transition.consent};
    const std::string_view suppressed =
        suppressed_by(transition, subject, context, *transition.rules);
    booked_.push_back({.transition = &transition, .is_actionable = suppressed.empty()});
  }
  moves_.book(row, logs_.rules_of(row), booked_, done.day_ends);
}

void PartitionBooks::erase(const CustomerRow& row) {
  const LedgerEntries& entries = row.ledger.entries();
  for (std::size_t i = 0; i < entries.size(); i = entries.after(i)) {
    const SaleKey key = key_of(row, entries.at(i));
    if (lines_.find(key)) lines_.erase(key);
  }
}

void PartitionBooks::index(const PartitionMeta& meta) {
  sales_.read_names();
  Book::Place& begin = book_.at(kBookBegin);
  if ((keeps_sales() || keeps_moves()) && begin.cell().is_empty())
    book_.note(begin, {meta.started ? to_ms(meta.watermark) : 0}, {});
}

std::optional<EventTime> PartitionBooks::since() const {
  const Book::Cell* const begin = book_.find(kBookBegin);
  return begin == nullptr ? std::nullopt : begin_of(*begin);
}

void PartitionBooks::append(std::int32_t partition, std::vector<StoreWrite>& writes) {
  book_.for_each_dirty([&](std::string_view key, std::optional<std::string> bytes) {
    writes.push_back({StoreKind::kBook, partition, std::string(key), std::move(bytes)});
  });
  lines_.append(writes);
}

void PartitionBooks::mark_committed() {
  book_.mark_committed();
  lines_.mark_committed();
}

}  // namespace rfm
