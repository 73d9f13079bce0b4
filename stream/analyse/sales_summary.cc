#include "stream/analyse/sales_summary.h"

#include <algorithm>
#include <tuple>

#include "state/epoch.h"
#include "stream/analyse/calendar_month.h"
#include "stream/analyse/money_sum.h"

namespace rfm {

void SalesSums::add(const SalesSums& other) {
  add_to(gross, other.gross);
  add_to(credits, other.credits);
  add_to(invoices, other.invoices);
  add_to(credit_notes, other.credit_notes);
  add_to(unnamed_records, other.unnamed_records);
  add_to(invoices_and_unnamed_sales, other.invoices_and_unnamed_sales);
  add_to(units, other.units);
  add_to(customers, other.customers);
}

void SalesSummary::add(std::string_view key, const Book::Cell& cell) {
  if (key == kBookBegin) since_ = std::max(since_, begin_of(cell));
  const std::optional<SalesCell> of = sales_cell(key);
  if (!of) return;
  const Book::Sums& sums = cell.sums;
  std::string name(of->name);
  switch (of->kind) {
    case SalesCell::Kind::kDay:
    case SalesCell::Kind::kUnnamedDay: {
      const bool known = of->kind == SalesCell::Kind::kDay;
      SalesSums day{
          .gross = {sums[0]}, .credits = {sums[1]}, .units = sums[3], .customers = sums[4]};
      if (known) {
        day.invoices = sums[2];
        day.credit_notes = sums[5];
      } else {
        day.unnamed_records = sums[2];
        add_to(day.unnamed_records, sums[5]);
      }
      days_[{of->day, std::move(name), known ? Buyer::kKnown : Buyer::kUnnamed}].add(day);
      return;
    }
    case SalesCell::Kind::kHour:
      hours_[{of->month, of->hour_of_week}].add({.gross = {sums[0]},
                                                 .credits = {sums[1]},
                                                 .invoices_and_unnamed_sales = sums[2],
                                                 .units = sums[3]});
      return;
    case SalesCell::Kind::kProduct: {
      products_[{of->month, std::move(name)}].add(
          {.sums = {.gross = {sums[0]}, .credits = {sums[1]}, .units = sums[2]}, .lines = sums[3]});
      return;
    }
    case SalesCell::Kind::kProductName: {
      return describe(name, {sums[0], cell.text.value_or("")});
    }
  }
}

void SalesSummary::ProductSums::add(const ProductSums& other) {
  sums.add(other.sums);
  add_to(lines, other.lines);
}

void SalesSummary::describe(const std::string& product, const Description& said) {
  Description& known = descriptions_.try_emplace(product, said).first->second;
  const auto order = [](const Description& d) {
    return std::tuple(!d.text.empty(), d.at_ms, std::string_view(d.text));
  };
  if (order(known) < order(said)) known = said;
}

void SalesSummary::merge(const SalesSummary& other) {
  since_ = std::max(since_, other.since_);
  for (const auto& [key, sums] : other.days_) days_[key].add(sums);
  for (const auto& [key, sums] : other.hours_) hours_[key].add(sums);
  for (const auto& [key, sums] : other.products_) products_[key].add(sums);
  for (const auto& [product, said] : other.descriptions_) describe(product, said);
}

std::vector<DaySales> SalesSummary::days() const {
  std::vector<DaySales> days;
  for (const auto& [key, sums] : days_) {
    const auto& [day, country, buyer] = key;
    days.push_back({day, country, buyer, sums});
  }
  return days;
}

std::vector<HourSales> SalesSummary::hours() const {
  std::vector<HourSales> hours;
  for (const auto& [key, sums] : hours_) hours.push_back({key.first, key.second, sums});
  return hours;
}

std::string SalesSummary::description_of(const std::string& product) const {
  const auto found = descriptions_.find(product);
  return found == descriptions_.end() ? "" : found->second.text;
}

std::vector<ProductSales> SalesSummary::products() const {
  std::vector<ProductSales> products;
  for (const auto& [key, product] : products_) {
    products.push_back(
        {key.first, key.second, description_of(key.second), product.sums, product.lines});
  }
  return products;
}

SalesSums SalesSummary::all() const {
  SalesSums all;
  for (const auto& [key, sums] : days_) all.add(sums);
  return all;
}

SalesSums SalesSummary::unnamed() const {
  SalesSums unnamed;
  for (const auto& [key, sums] : days_) {
    if (std::get<Buyer>(key) == Buyer::kUnnamed) unnamed.add(sums);
  }
  return unnamed;
}

std::vector<NamedSales> SalesSummary::countries() const {
  std::map<std::string, SalesSums> by_country;
  for (const auto& [key, sums] : days_) by_country[std::get<std::string>(key)].add(sums);
  std::vector<NamedSales> countries;
  for (const auto& [country, sums] : by_country) {
    countries.push_back({country, sums});
    countries.back().sums.customers = 0;  // One may have bought on several days.
  }
  std::ranges::stable_sort(countries, std::greater<>(),
                           [](const NamedSales& one) { return one.sums.net(); });
  return countries;
}

std::vector<NamedSales> SalesSummary::months() const {
  std::map<CalendarMonth, SalesSums> by_month;
  for (const auto& [key, sums] : days_)
    by_month[calendar_month_of(boundary_of(std::get<0>(key)))].add(sums);
  std::vector<NamedSales> months;
  if (by_month.empty()) return months;
  for (CalendarMonth month = by_month.begin()->first; month <= by_month.rbegin()->first; ++month) {
    months.push_back({month_text(month), by_month[month]});
    months.back().sums.customers = 0;
  }
  return months;
}

std::array<SalesSums, kHoursOfWeek> SalesSummary::week() const {
  std::array<SalesSums, kHoursOfWeek> week{};
  for (const auto& [key, sums] : hours_) {
    const auto hour = static_cast<std::size_t>(key.second);
    if (hour < week.size()) week.at(hour).add(sums);
  }
  return week;
}

std::vector<ProductSales> SalesSummary::products_in_all() const {
  std::map<std::string, ProductSums> by_product;
  for (const auto& [key, product] : products_) {
    by_product[key.second].add(product);
  }
  std::vector<ProductSales> products;
  for (const auto& [name, product] : by_product)
    products.push_back({0, name, description_of(name), product.sums, product.lines});
  std::ranges::stable_sort(products, std::greater<>(),
                           [](const ProductSales& one) { return one.sums.net(); });
  return products;
}

}  // namespace rfm
