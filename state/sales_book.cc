#include "state/sales_book.h"

#include <chrono>
#include <map>
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

// The first countries and products.
constexpr std::uint32_t kNotSaid = 0;
constexpr std::uint32_t kOthers = 1;
constexpr std::uint32_t kFirstNamed = 2;

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

SalesBook::SalesBook(Book& book, const Rules& rules) : book_(book), rules_(rules) {
  for (const std::string_view name : {std::string_view(), kOtherName}) {
    add_country(name);
    add_product(name);
  }
}

void SalesBook::book(const Sale& sale, Buyer buyer, Booking booking) {
  std::int64_t units = 0;
  const bool returns = takes_back(sale);
  for (const BookedLine& line : sale.lines)
    static_cast<void>(__builtin_add_overflow(units, line.units, &units));
  // A credit's lines are written with either sign.
  if (returns && units > 0) units = -units;
  const std::int64_t worth = magnitude(sale.amount).units;
  const std::int64_t gross = returns ? 0 : worth;
  const std::int64_t credits = returns ? worth : 0;
  const std::int64_t one = booking == Booking::kAmend ? 0 : 1;
  const std::int64_t invoices = returns ? 0 : one;
  book_.add(place_of(admitted(sale.country), buyer, epoch_of(sale.time)),
            signed_by({gross, credits, invoices, units, 0, one - invoices}, booking));
  const std::int64_t month = month_of(sale.time);
  const int of_week = hour_of_week(sale.time);
  Dated& hour = hours_[static_cast<std::size_t>(of_week)];
  if (hour.number != month) {
    start_key(key_, kHour, month);
    key_ += static_cast<char>(of_week);
    hour = {month, &book_.at(key_)};
  }
  book_.add(*hour.place, signed_by({gross, credits, invoices, units}, booking));
  book_lines(sale, booking);
}

void SalesBook::book_lines(const Sale& sale, Booking booking) {
  const std::int64_t month = month_of(sale.time);
  const bool is_credit = sale.type == InvoiceType::kCredit;
  std::int64_t rest = is_credit ? -magnitude(sale.amount).units : sale.amount.units;
  // What a credit's lines say of its sign means nothing: as a whole they take back.
  std::int64_t sum = 0;
  for (const BookedLine& line : sale.lines)
    static_cast<void>(__builtin_add_overflow(sum, line.amount.units, &sum));
  const bool turns = is_credit && sum > 0;
  for (const BookedLine& line : sale.lines) {
    const std::int64_t amount = turns ? -line.amount.units : line.amount.units;
    const std::int64_t units = turns ? -line.units : line.units;
    static_cast<void>(__builtin_sub_overflow(rest, amount, &rest));
    add_to_product(
        line.product, month,
        signed_by({amount > 0 ? amount : 0, amount < 0 ? -amount : 0, units, 1}, booking));
  }
  if (rest == 0) return;
  add_to_product(kNotSaid, month,
                 signed_by({rest > 0 ? rest : 0, rest < 0 ? -rest : 0, 0, 0}, booking));
}

void SalesBook::add_to_product(std::uint32_t product, std::int64_t month, const Book::Sums& by) {
  // A number from a state whose books are gone.
  Product& of = products_[product < products_.size() ? product : kOthers];
  if (of.month.number != month) {
    start_key(key_, kProduct, month);
    key_ += of.name;
    of.month = {month, &book_.at(key_)};
  }
  book_.add(*of.month.place, by);
}

void SalesBook::add_customers(EventTime time, std::string_view country, std::int64_t by) {
  if (by != 0)
    book_.add(place_of(admitted(country), Buyer::kKnown, epoch_of(time)), {0, 0, 0, 0, by, 0});
}

Book::Place& SalesBook::place_of(Country& country, Buyer buyer, std::int64_t day) {
  Dated& dated = buyer == Buyer::kKnown ? country.day : country.unnamed_day;
  if (dated.number != day) {
    start_key(key_, buyer == Buyer::kKnown ? kDay : kUnnamedDay, day);
    key_ += country.name;
    dated = {day, &book_.at(key_)};
  }
  return *dated.place;
}

SalesBook::Country& SalesBook::admitted(std::string_view country) {
  if (const auto known = country_by_name_.find(country); known != country_by_name_.end())
    return *known->second;
  if (countries_.size() >= rules_.sales_countries_max + kFirstNamed) return countries_[kOthers];
  name_key(key_, kCountryName, country);
  book_.note(book_.at(key_), {}, {});
  return add_country(country);
}

// Of two with the same hash the first by name, whatever came first.
SalesBook::Country& SalesBook::add_country(std::string_view country) {
  Country& added = countries_.emplace_back();
  added.name = country;
  country_by_name_.emplace(added.name, &added);
  const Country*& of_bits = country_by_bits_[country_bits(country)];
  if (of_bits == nullptr || added.name < of_bits->name) of_bits = &added;
  return added;
}

std::uint32_t SalesBook::add_product(std::string_view product) {
  const auto number = static_cast<std::uint32_t>(products_.size());
  Product& added = products_.emplace_back();
  added.name = product;
  product_by_name_.emplace(added.name, number);
  return number;
}

// What a line's description is compared with says nothing of when it was said last: else every
// product would have to be written every day.
BookedLine SalesBook::introduce(const SoldLine& line, EventTime time) {
  BookedLine booked{.product = kNotSaid, .units = line.units, .amount = line.amount};
  if (line.product.empty()) return booked;
  if (const auto known = product_by_name_.find(line.product); known != product_by_name_.end()) {
    booked.product = known->second;
  } else if (products_.size() >= rules_.sales_products_max + kFirstNamed) {
    booked.product = kOthers;
  } else {
    booked.product = add_product(line.product);
  }
  if (booked.product >= kFirstNamed) describe(booked.product, line.description, epoch_of(time));
  return booked;
}

void SalesBook::describe(std::uint32_t number, std::string_view description, std::int64_t day) {
  Product& product = products_[number];
  if (product.note == nullptr) {
    name_key(key_, kProductName, product.name);
    product.note = &book_.at(key_);
  } else if (description.empty() || day <= product.described_on) {
    return;
  }
  const std::uint64_t hash = TextHash{}(description);
  if (hash == product.description_hash) return;
  product.description_hash = hash;
  product.described_on = description.empty() ? kNotDescribed : day;
  book_.note(*product.note, {product.described_on, number}, description);
}

std::string SalesBook::country_of(std::uint16_t bits) const {
  const auto found = country_by_bits_.find(bits);
  return found == country_by_bits_.end() ? std::string(kOtherName) : found->second->name;
}

void SalesBook::read_names() {
  std::map<std::int64_t, std::string_view> products;  // By number.
  book_.for_each([&](std::string_view key, const Book::Cell& cell) {
    if (key.front() == kProductName) products.emplace(cell.sums[1], key.substr(1));
    if (key.front() == kCountryName) add_country(key.substr(1));
  });
  for (const auto& [number, name] : products) {
    Product& product = products_[add_product(name)];
    name_key(key_, kProductName, name);
    product.note = &book_.at(key_);
    product.described_on = product.note->cell().sums[0];
    product.description_hash = TextHash{}(*product.note->cell().text);
  }
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

void pack_line(const BookedLine& line, std::string& packed) {
  ByteWriter out;
  out.varint(line.product);
  out.signed_varint(line.units);
  out.signed_varint(line.amount.units);
  packed += out.take();
}

void unpack_lines(std::string_view packed, std::vector<BookedLine>& lines) {
  lines.clear();
  ByteReader in(packed);
  while (!in.at_end()) {
    BookedLine& line = lines.emplace_back();
    line.product = static_cast<std::uint32_t>(in.varint());
    line.units = in.signed_varint();
    line.amount.units = in.signed_varint();
    if (!in.ok()) return lines.clear();
  }
}

}  // namespace rfm
