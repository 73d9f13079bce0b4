#include "state/sales_book.h"

#include <chrono>
#include <tuple>
#include <utility>

#include "model/day.h"
#include "state/book_key.h"
#include "state/byte_codec.h"
#include "state/epoch.h"
#include "state/hashes.h"

namespace rfm {
namespace {

// The first byte of a key. Then a day or month, the first byte first, so that cells of a kind are
// in order of time, then an hour or a name.
constexpr char kDay = 'd';
constexpr char kUnnamedDay = 'u';
constexpr char kHour = 'h';
constexpr char kProduct = 'p';
constexpr char kProductName = 'n';
constexpr char kCountryName = 'k';

constexpr int kHoursPerDay = 24;
constexpr int kDaysPerWeek = 7;
constexpr std::int64_t kHourMs = kDayMs / kHoursPerDay;

void name_key(std::string& key, char kind, std::string_view name) {
  key.assign(1, kind);
  key += name;
}

// 1970-01-01 was a Thursday.
int hour_of_week(EventTime time) {
  constexpr std::int64_t kThursday = 3;
  const std::int64_t day = epoch_of(time);
  const std::int64_t hour = (to_ms(time) - day * kDayMs) / kHourMs;
  return static_cast<int>((day + kThursday) % kDaysPerWeek * kHoursPerDay + hour);
}

bool takes_back(const Sale& sale) {
  return sale.type == InvoiceType::kCredit || sale.amount < Money{};
}

Book::Sums signed_by(Book::Sums sums, Booking booking) {
  if (booking == Booking::kTakeBack)
    for (std::int64_t& sum : sums) sum = -sum;
  return sums;
}

}  // namespace

std::int64_t month_of(EventTime time) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{epoch_of(time)}}};
  constexpr int kMonths = 12;
  return (static_cast<int>(date.year()) - 1970) * kMonths +
         static_cast<int>(static_cast<unsigned>(date.month())) - 1;
}

void SalesBook::book(const Sale& sale, Buyer buyer, Booking booking) {
  std::int64_t units = 0;
  const bool returns = takes_back(sale);
  for (const SoldLine& line : sale.lines) {
    static_cast<void>(__builtin_add_overflow(units, line.units, &units));
  }
  // A credit's lines are written with either sign.
  if (returns && units > 0) units = -units;
  const std::int64_t worth = magnitude(sale.amount).units;
  const std::int64_t gross = returns ? 0 : worth;
  const std::int64_t credits = returns ? worth : 0;
  const std::int64_t one = booking == Booking::kAmend ? 0 : 1;
  const std::int64_t invoices = returns ? 0 : one;
  const std::string_view country = admitted_country(sale.country);
  start_key(key_, buyer == Buyer::kKnown ? kDay : kUnnamedDay, epoch_of(sale.time));
  key_ += country;
  book_.add(key_, signed_by({gross, credits, invoices, units, 0, one - invoices}, booking));
  start_key(key_, kHour, month_of(sale.time));
  key_ += static_cast<char>(hour_of_week(sale.time));
  book_.add(key_, signed_by({gross, credits, invoices, units}, booking));
  book_lines(sale, booking);
}

void SalesBook::book_lines(const Sale& sale, Booking booking) {
  const std::int64_t month = month_of(sale.time);
  const bool is_credit = sale.type == InvoiceType::kCredit;
  std::int64_t rest = is_credit ? -magnitude(sale.amount).units : sale.amount.units;
  // What a credit's lines say of its sign means nothing: as a whole they take back.
  std::int64_t sum = 0;
  for (const SoldLine& line : sale.lines)
    static_cast<void>(__builtin_add_overflow(sum, line.amount.units, &sum));
  const bool turns = is_credit && sum > 0;
  for (const SoldLine& line : sale.lines) {
    const std::int64_t amount = turns ? -line.amount.units : line.amount.units;
    const std::int64_t units = turns ? -line.units : line.units;
    static_cast<void>(__builtin_sub_overflow(rest, amount, &rest));
    const std::string_view product = admitted_product(line.product);
    start_key(key_, kProduct, month);
    key_ += product;
    book_.add(key_,
              signed_by({amount > 0 ? amount : 0, amount < 0 ? -amount : 0, units, 1}, booking));
  }
  if (rest == 0) return;
  start_key(key_, kProduct, month);
  book_.add(key_, signed_by({rest > 0 ? rest : 0, rest < 0 ? -rest : 0, 0, 0}, booking));
}

void SalesBook::add_customers(EventTime time, std::string_view country, std::int64_t by) {
  if (by == 0) return;
  const std::string_view admitted = admitted_country(country);
  start_key(key_, kDay, epoch_of(time));
  key_ += admitted;
  book_.add(key_, {0, 0, 0, 0, by, 0});
}

std::string_view SalesBook::admitted_country(std::string_view country) {
  if (country.empty()) return country;
  name_key(key_, kCountryName, country);
  if (book_.find(key_) != nullptr) return country;
  if (countries_ >= rules_.sales_countries_max) return kOtherName;
  book_.note(key_, {});
  ++countries_;
  know(country);
  return country;
}

// Of two with the same hash the first by name, whatever came first.
void SalesBook::know(std::string_view country) {
  const auto [known, is_new] = country_of_bits_.try_emplace(country_bits(country), country);
  if (!is_new && country < known->second) known->second = country;
}

// The description is the last by event time, to a day, so that one that stays is not written with
// each sale; of two at one time the last by text.
void SalesBook::introduce(const SoldLine& line, EventTime time) {
  if (line.product.empty()) return;
  name_key(key_, kProductName, line.product);
  const Book::Cell* known = book_.find(key_);
  if (known == nullptr) {
    if (products_ >= rules_.sales_products_max) return;
    ++products_;
    return book_.note(key_, {to_ms(time)}, line.description);
  }
  if (line.description.empty()) return;
  const std::int64_t at = known->sums[0];
  const bool is_same = line.description == *known->text;
  if (is_same ? to_ms(time) - at < kDayMs
              : !known->text->empty() && std::pair(to_ms(time), line.description) <=
                                             std::pair(at, std::string_view(*known->text)))
    return;
  book_.note(key_, {to_ms(time)}, line.description);
}

std::string_view SalesBook::admitted_product(std::string_view product) {
  if (product.empty() || products_ < rules_.sales_products_max) return product;
  name_key(key_, kProductName, product);
  return book_.find(key_) == nullptr ? kOtherName : product;
}

std::string SalesBook::country_of(std::uint16_t bits) const {
  const auto found = country_of_bits_.find(bits);
  return found == country_of_bits_.end() ? std::string() : found->second;
}

void SalesBook::count_names() {
  countries_ = products_ = 0;
  book_.for_each([this](std::string_view key, const Book::Cell&) {
    if (key.front() == kProductName) ++products_;
    if (key.front() != kCountryName) return;
    ++countries_;
    know(key.substr(1));
  });
}

std::optional<SalesCell> sales_cell(std::string_view key) {
  if (key.empty()) return std::nullopt;
  const char kind = key.front();
  if (kind == kProductName)
    return SalesCell{.kind = SalesCell::Kind::kProductName, .name = key.substr(1)};
  if (key.size() < kNumberedSize) return std::nullopt;
  const std::string_view rest = key.substr(kNumberedSize);
  if (kind == kDay || kind == kUnnamedDay) {
    return SalesCell{.kind = kind == kDay ? SalesCell::Kind::kDay : SalesCell::Kind::kUnnamedDay,
                     .day = number_of(key),
                     .name = rest};
  }
  if (kind == kProduct)
    return SalesCell{.kind = SalesCell::Kind::kProduct, .month = number_of(key), .name = rest};
  if (kind != kHour || rest.size() != 1) return std::nullopt;
  return SalesCell{.kind = SalesCell::Kind::kHour,
                   .month = number_of(key),
                   .hour_of_week = static_cast<unsigned char>(rest.front()),
                   .name = {}};
}

void pack_line(const SoldLine& line, std::string& packed) {
  ByteWriter out;
  out.string(line.product);
  out.signed_varint(line.units);
  out.signed_varint(line.amount.units);
  packed += out.take();
}

std::string pack_lines(std::span<const SoldLine> lines) {
  std::string packed;
  for (const SoldLine& line : lines) pack_line(line, packed);
  return packed;
}

std::vector<SoldLine> unpack_lines(std::string_view packed) {
  std::vector<SoldLine> lines;
  ByteReader in(packed);
  while (!in.at_end()) {
    SoldLine line;
    line.product = in.string();
    line.units = in.signed_varint();
    line.amount.units = in.signed_varint();
    if (!in.ok()) return {};
    lines.push_back(line);
  }
  return lines;
}

}  // namespace rfm
