// Sales as known now, whoever bought: by day and country, by month and hour of the week, by month
// and product. A correction takes back what it replaces. All times are UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "state/book.h"
#include "state/invoice_ledger.h"
#include "state/money.h"
#include "state/rules.h"

namespace rfm {

// What one line of an invoice sells, or a credit takes back.
struct SoldLine {
  std::string_view product;      // Stock code; empty: not said.
  std::string_view description;  // Its name; empty: not said.
  std::int64_t units = 0;        // Quantity in 10^-4.
  Money amount;                  // Signed, as in the record.
};

// An invoice, a credit, or a part of one. Its lines may add up to less or more than `amount`; the
// rest is of no product.
struct Sale {
  EventTime time{};
  std::string_view country;  // Empty: not said.
  InvoiceType type = InvoiceType::kInvoice;
  Money amount;  // Signed sum of the lines; a credit counts as -|amount|.
  std::span<const SoldLine> lines;
};

enum class Buyer : std::uint8_t { kKnown, kUnnamed };
enum class Booking : std::uint8_t {
  kAdd,
  kAmend,  // Adds to an invoice that is counted.
  kTakeBack,
};

// Countries and products beyond a maximum go to this name, those that come first stay.
inline constexpr std::string_view kOtherName = "(other)";

class SalesBook {
 public:
  // Both outlive it.
  SalesBook(Book& book, const Rules& rules) : book_(book), rules_(rules) {}

  // Each line that a sale will have, at `time`: its product is known from here on, with its last
  // description.
  void introduce(const SoldLine& line, EventTime time);
  void book(const Sale& sale, Buyer buyer, Booking booking);
  // `by` customers more have bought on that day in that country.
  void add_customers(EventTime time, std::string_view country, std::int64_t by);

  // The country whose hash (state/hashes.h, `country_bits`) this is, of those seen; the first of
  // several. For what the ledger alone remembers.
  std::string country_of(std::uint16_t bits) const;

  // After the book's cells were restored.
  void count_names();

 private:
  std::string_view admitted_country(std::string_view country);
  std::string_view admitted_product(std::string_view product);
  void know(std::string_view country);
  void book_lines(const Sale& sale, Booking booking);

  Book& book_;
  const Rules& rules_;
  std::size_t countries_ = 0;
  std::size_t products_ = 0;
  absl::flat_hash_map<std::uint16_t, std::string> country_of_bits_;
  std::string key_;  // Scratch.
};

// What a cell of a book is of sales, for readers.
struct SalesCell {
  enum class Kind : std::uint8_t {
    kDay,          // Of customers: {gross, credits, invoices, units, customers, credit notes}
    kUnnamedDay,   // Of nobody: the same, `invoices` and `credit notes` are records, no customers.
    kHour,         // Of both: {gross, credits, invoices, units}, by month and hour of the week.
    kProduct,      // Of both: {gross, credits, units, lines}, by month. Empty name: of no product.
    kProductName,  // {event time in ms}, text: the description.
  };
  Kind kind = Kind::kDay;
  std::int64_t day = 0;    // Since 1970-01-01.
  std::int64_t month = 0;  // Since 1970-01.
  int hour_of_week = 0;    // 0: Monday, 00:00 to 01:00.
  std::string_view name;   // Country or product.
};
// Absent: it is of something else.
std::optional<SalesCell> sales_cell(std::string_view key);

// Months since 1970-01.
std::int64_t month_of(EventTime time);

// The lines of one invoice as they are kept until it settles, and so that a correction can take
// them back.
std::string pack_lines(std::span<const SoldLine> lines);
void pack_line(const SoldLine& line, std::string& packed);
// Views into `packed`; without descriptions. Empty where it is damaged.
std::vector<SoldLine> unpack_lines(std::string_view packed);

}  // namespace rfm
