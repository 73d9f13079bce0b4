#include "stream/generate/generator.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <tuple>

#include "model/day.h"
#include "state/assertion.h"

namespace rfm {

namespace {

// Gamma shapes and means of the Pareto/NBD model, in days.
constexpr double kRateShape = 1.1;
constexpr double kSalesPerDay = 8.0 / 365;
constexpr double kGoneShape = .8;
constexpr double kGonePerDay = 1.0 / 300;
constexpr double kOldCustomers =
    .3;  // Share that existed before: they come within the first weeks.
constexpr double kOldCustomersDays = 60;  // Shop days.

constexpr double kBasketMedian = 7;
constexpr std::size_t kLinesMax = 100;
constexpr std::array<std::uint16_t, 16> kQuantities = {1, 1, 1,  2,  2,  3,  4,  6,
                                                       6, 8, 10, 12, 12, 24, 48, 96};

constexpr double kReturnDaysMin = 2;
constexpr double kReturnDaysMean = 10;
constexpr double kFullReturns = .25;

constexpr auto kLateMin = std::chrono::minutes{2};
constexpr double kLateMeanMinutes = 30;
constexpr double kLateMaxMinutes = 12 * 60;

bool is_christmas(EventTime time) {
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(time)};
  const auto month = static_cast<unsigned>(date.month());
  return month >= 11 || (month == 10 && static_cast<unsigned>(date.day()) > 15);
}

}  // namespace

bool Generator::Later::operator()(const Pending& a, const Pending& b) const {
  return std::tie(a.emitted_at, a.customer, a.kind, a.late, a.time, a.number) >
         std::tie(b.emitted_at, b.customer, b.kind, b.late, b.time, b.number);
}

Generator::Generator(const GeneratorOptions& options)
    : options_(options),
      catalogue_(options.seed),
      clock_(options.start, options.days, options.hours) {
  RFM_ASSERT(options.tombstones <= options.customers);
  customers_.reserve(options.customers);
  std::vector<Pending> storage;
  storage.reserve(options.customers + options.customers / 8);
  pending_ = decltype(pending_)(Later{}, std::move(storage));
  for (std::uint32_t i = 0; i < options.customers; ++i) {
    customers_.push_back(make_customer(i));
    Pending sale;
    sale.customer = i;
    sale.time = sale.emitted_at = clock_.at(customers_[i].shop_days);
    pending_.push(sale);
  }
  SeededRandom random(options.seed, /*stream=*/1);
  for (std::uint32_t i = 0; i < options.tombstones; ++i) {
    Pending erasure;
    erasure.kind = GeneratedKind::kErasure;
    erasure.customer =
        static_cast<std::uint32_t>(std::uint64_t{i} * options.customers / options.tombstones);
    erasure.time = erasure.emitted_at = clock_.at(clock_.total() * (.5 + .5 * random.uniform()));
    pending_.push(erasure);
  }
}

Generator::Customer Generator::make_customer(std::uint32_t index) const {
  constexpr std::uint64_t kFirstCustomerStream = 16;
  Customer customer;
  customer.random = SeededRandom(options_.seed, kFirstCustomerStream + index);
  SeededRandom& random = customer.random;
  const bool old = random.uniform() < kOldCustomers;
  const double last_start = old ? std::min(kOldCustomersDays, clock_.total()) : clock_.total();
  customer.shop_days = last_start * random.uniform();
  const double sales_per_day = std::max(1e-4, kSalesPerDay * random.gamma(kRateShape) / kRateShape);
  customer.gap_shop_days = static_cast<float>(1 / sales_per_day);
  const double gone_per_day = std::max(1e-5, kGonePerDay * random.gamma(kGoneShape) / kGoneShape);
  const double days_left = std::min(36'500.0, random.exponential() / gone_per_day);
  customer.gone_at = clock_.at(customer.shop_days) +
                     Duration{static_cast<std::int64_t>(days_left * static_cast<double>(kDayMs))};
  customer.basket_lines = static_cast<float>(std::min(60.0, kBasketMedian * random.log_normal(.7)));
  // Most customers buy singly, a few wholesale.
  const double level = random.uniform();
  customer.quantity_level = static_cast<std::uint8_t>(8 * level * level * level);
  customer.country = country_at(random.uniform());
  return customer;
}

void Generator::schedule_sale(std::uint32_t index) {
  Customer& customer = customers_[index];
  customer.shop_days += customer.random.exponential() * double{customer.gap_shop_days};
  if (customer.shop_days >= clock_.total()) return;
  Pending sale;
  sale.customer = index;
  sale.time = sale.emitted_at = clock_.at(customer.shop_days);
  if (sale.time >= customer.gone_at) return;
  pending_.push(sale);
}

void Generator::schedule_return(const Pending& sale, std::uint64_t number) {
  Customer& customer = customers_[sale.customer];
  if (customer.return_pending || customer.random.uniform() >= options_.return_share) return;
  const double shop_days =
      customer.shop_days + kReturnDaysMin + customer.random.exponential() * kReturnDaysMean;
  if (shop_days >= clock_.total()) return;
  customer.return_pending = true;
  Pending credit = sale;
  credit.kind = GeneratedKind::kReturn;
  credit.sold_at = sale.time;
  credit.time = credit.emitted_at = clock_.at(shop_days);
  credit.number = number;
  credit.return_seed = customer.random.next();
  pending_.push(credit);
}

void Generator::fill_sale(const Customer& customer, EventTime time, std::uint64_t lines_seed) {
  SeededRandom random(lines_seed);
  const double extra = random.exponential() * (double{customer.basket_lines} - .5);
  const std::size_t count = std::min(kLinesMax, 1 + static_cast<std::size_t>(std::max(0.0, extra)));
  const bool christmas = is_christmas(time);
  lines_.clear();
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t bits = random.next();
    const double u = static_cast<double>(bits >> 32) * 0x1p-32;
    GeneratedLine line;
    if (christmas && (bits & 7) < 2) {
      constexpr std::uint32_t kSeasonal = RetailCatalogue::kProducts - RetailCatalogue::kRegular;
      line.product = RetailCatalogue::kRegular + static_cast<std::uint32_t>(u * u * kSeasonal);
    } else {
      line.product = static_cast<std::uint32_t>(u * u * u * RetailCatalogue::kRegular);
    }
    line.quantity = kQuantities[customer.quantity_level + ((bits >> 8) & 7)];
    lines_.push_back(line);
  }
}

// Keeps of the sale in `lines_` what is returned.
void Generator::fill_return(std::uint64_t return_seed) {
  SeededRandom random(return_seed);
  if (random.uniform() < kFullReturns) return;
  const std::size_t kept_at_least = random.below(lines_.size());
  std::vector<GeneratedLine> returned;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (i != kept_at_least && random.below(3) != 0) continue;
    returned.push_back(
        {lines_[i].product, 1 + static_cast<std::uint32_t>(random.below(lines_[i].quantity))});
  }
  lines_ = std::move(returned);
}

GeneratedEvent Generator::event_of(const Pending& pending, std::uint64_t number,
                                   std::uint64_t original) const {
  GeneratedEvent event;
  event.kind = pending.kind;
  event.customer = pending.customer;
  event.country = customers_[pending.customer].country;
  event.time = pending.time;
  event.emitted_at = pending.emitted_at;
  event.number = number;
  event.original = original;
  if (pending.kind != GeneratedKind::kErasure) event.lines = lines_;
  return event;
}

std::optional<GeneratedEvent> Generator::next() {
  while (!pending_.empty()) {
    Pending top = pending_.top();
    pending_.pop();
    Customer& customer = customers_[top.customer];
    if (top.kind == GeneratedKind::kErasure) return event_of(top, 0, 0);
    if (top.kind == GeneratedKind::kReturn) {
      customer.return_pending = false;
      fill_sale(customer, top.sold_at, top.lines_seed);
      fill_return(top.return_seed);
      return event_of(top, ++numbers_, top.number);
    }
    if (!top.late) {
      top.number = ++numbers_;
      top.lines_seed = customer.random.next();
      schedule_return(top, top.number);
      schedule_sale(top.customer);
      if (options_.late_share > 0 && customer.random.uniform() < options_.late_share) {
        const double minutes =
            std::min(kLateMaxMinutes, customer.random.exponential() * kLateMeanMinutes);
        top.late = true;
        top.emitted_at += kLateMin + std::chrono::seconds{static_cast<std::int64_t>(minutes * 60)};
        pending_.push(top);
        continue;
      }
    }
    fill_sale(customer, top.time, top.lines_seed);
    return event_of(top, top.number, 0);
  }
  return std::nullopt;
}

}  // namespace rfm
