// Sales as known now, whoever bought: by day and country, by month and hour of the week, by month
// and product. A correction takes back what it replaces. All times are UTC.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
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

// The same for the book, which numbers the products.
struct BookedLine {
  std::uint32_t product = 0;
  std::int64_t units = 0;
  Money amount;

  friend bool operator==(const BookedLine&, const BookedLine&) = default;
};

// An invoice, a credit, or a part of one. Its lines may add up to less or more than `amount`; the
// rest is of no product.
struct Sale {
  EventTime time{};
  std::string_view country;  // Empty: not said.
  InvoiceType type = InvoiceType::kInvoice;
  Money amount;  // Signed sum of the lines; a credit counts as -|amount|.
  std::span<const BookedLine> lines;
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
  SalesBook(Book& book, const Rules& rules);

  // Of each line that a sale will have, at `time`: its product is known from here on. Its
  // description is the first, until a line of a day after that one's has another.
  BookedLine introduce(const SoldLine& line, EventTime time);
  void book(const Sale& sale, Buyer buyer, Booking booking);
  // `by` customers more have bought on that day in that country.
  void add_customers(EventTime time, std::string_view country, std::int64_t by);

  // The country whose hash (state/hashes.h, `country_bits`) this is, of those seen; the first of
  // several, the others' name for none. For what the ledger alone remembers.
  std::string country_of(std::uint16_t bits) const;

  // After the book's cells were restored.
  void read_names();

 private:
  static constexpr std::int64_t kNotDescribed = -1;

  // A place in the book, and the day or month that it is of.
  struct Dated {
    std::int64_t number = -1;
    Book::Place* place = nullptr;
  };
  struct Country {
    std::string name;
    Dated day;
    Dated unnamed_day;
  };
  struct Product {
    std::string name;
    std::int64_t described_on = kNotDescribed;  // A day.
    std::uint64_t description_hash = 0;
    Book::Place* note = nullptr;
    Dated month;
  };

  Country& admitted(std::string_view country);
  Country& add_country(std::string_view country);
  std::uint32_t add_product(std::string_view product);
  void describe(std::uint32_t product, std::string_view description, std::int64_t day);
  Book::Place& place_of(Country& country, Buyer buyer, std::int64_t day);
  void book_lines(const Sale& sale, Booking booking);
  void add_to_product(std::uint32_t product, std::int64_t month, const Book::Sums& by);

  Book& book_;
  const Rules& rules_;
  std::deque<Country> countries_;  // Not said, the others, then by first sale.
  absl::flat_hash_map<std::string_view, Country*, TextHash> country_by_name_;
  absl::flat_hash_map<std::uint16_t, const Country*> country_by_bits_;
  std::deque<Product> products_;  // By number: not said, the others, then by first sale.
  absl::flat_hash_map<std::string_view, std::uint32_t, TextHash> product_by_name_;
  std::array<Dated, std::size_t{7} * 24> hours_;
  std::string key_;  // Scratch.
};

// What a cell of a book is of sales, for readers.
struct SalesCell {
  enum class Kind : std::uint8_t {
    kDay,          // Of customers: {gross, credits, invoices, units, customers, credit notes}
    kUnnamedDay,   // Of nobody: the same, `invoices` and `credit notes` are records, no customers.
    kHour,         // Of both: {gross, credits, invoices, units}, by month and hour of the week.
    kProduct,      // Of both: {gross, credits, units, lines}, by month. Empty name: of no product.
    kProductName,  // {its day, number}, text: the description.
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
void pack_line(const BookedLine& line, std::string& packed);
// `lines` becomes these; empty where they are damaged.
void unpack_lines(std::string_view packed, std::vector<BookedLine>& lines);

}  // namespace rfm
