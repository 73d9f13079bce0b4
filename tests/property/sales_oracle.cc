#include "tests/property/sales_oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "model/day.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr std::int64_t kStartDay = 15'000;  // 2011-01-26, a Wednesday.
constexpr std::int64_t kWeekday = 2;        // Of it, from Monday 0.

std::string json_of(const Snapshot& snapshot) {
  constexpr std::array<std::string_view, 3> kTypes = {"invoice", "credit", "void"};
  std::string lines;
  for (const Line& line : snapshot.lines) {
    lines += fmt::format(
        R"({}{{"stock_code":"{}","description":"{}","quantity":{},"unit_price":{}.{:02}}})",
        lines.empty() ? "" : ",", line.product, line.description, line.quantity, line.price / 100,
        line.price % 100);
  }
  const auto unless_empty = [](std::string_view name, const std::string& text) {
    return text.empty() ? text : fmt::format(R"("{}":"{}",)", name, text);
  };
  return fmt::format(R"({{"type":"{}","invoice_no":"{}",{}{}"invoice_time":"{}","currency":"GBP",)"
                     R"("country":"{}","revision":{},"lines":[{}]}})",
                     kTypes[static_cast<std::size_t>(snapshot.type)], snapshot.number,
                     unless_empty("original_invoice_no", snapshot.original),
                     unless_empty("customer_id", snapshot.customer),
                     to_rfc3339(from_ms(snapshot.time_ms)), snapshot.country, snapshot.revision,
                     lines);
}

}  // namespace

std::vector<Event> random_events(std::mt19937_64& random, std::size_t partitions) {
  const std::array<std::string, 5> countries = {"United Kingdom", "France", "EIRE", "", "Japan"};
  std::vector<Event> events;
  std::int64_t now = kStartDay * kDayMs;
  for (int i = 0; i < 150; ++i) {
    now += static_cast<std::int64_t>(random() % (16 * 3'600'000));
    const std::uint64_t who = random() % 8;
    const std::string customer = fmt::format("c{}", who);
    if (random() % 40 == 0) {
      events.push_back({std::nullopt, customer, who % partitions});
      continue;
    }
    if (random() % 20 == 0 && !events.empty()) {  // Again.
      if (const Event& before = events[random() % events.size()]; before.snapshot)
        events.push_back(before);
      continue;
    }
    Snapshot snapshot;
    const bool is_named = random() % 8 != 0;
    if (is_named) snapshot.customer = customer;
    snapshot.number = fmt::format("{}-{}", snapshot.customer, random() % 12);
    const std::uint64_t type = random() % 20;
    if (type < 4) snapshot.type = Type::kCredit;
    if (type == 4 && is_named) snapshot.type = Type::kVoid;
    if (snapshot.is_credit() && random() % 2 == 0)
      snapshot.original = fmt::format("{}-{}", snapshot.customer, random() % 12);
    snapshot.revision = static_cast<std::int64_t>(random() % 3);
    snapshot.time_ms = now;
    if (random() % 4 == 0)
      snapshot.time_ms -= static_cast<std::int64_t>(random() % (20 * std::uint64_t{kDayMs}));
    constexpr std::int64_t kEach = 1'000'000;
    snapshot.time_ms =
        std::max(snapshot.time_ms, kStartDay * kDayMs) / kEach * kEach + std::int64_t{i} * 1000;
    snapshot.country = countries[random() % countries.size()];
    for (std::uint64_t n = 1 + random() % 4; n > 0; --n) {
      const std::string product = fmt::format("p{}", random() % 6);
      snapshot.lines.push_back({.product = product,
                                .description = fmt::format("{} {}", product, random() % 4),
                                .quantity = 1 + static_cast<std::int64_t>(random() % 9),
                                .price = static_cast<std::int64_t>(random() % 2'000)});
      if (snapshot.is_credit()) snapshot.lines.back().quantity *= -1;
    }
    events.push_back({snapshot, snapshot.customer, who % partitions});
  }
  return events;
}

MemoryInput input_of(const std::vector<Event>& events, std::size_t partitions) {
  MemoryInput input(partitions);
  std::int64_t received = 0;
  for (const Event& event : events) {
    MemoryRecord record{.key = event.customer, .value = std::nullopt};
    if (event.customer.empty()) record.key = "nobody";
    if (event.snapshot) {
      record.value = json_of(*event.snapshot);
      received = std::max(received, event.snapshot->time_ms);
    }
    record.received_ms = received;
    input[event.partition].push_back(record);
  }
  return input;
}

void add(Figures& figures, const std::string& key, const Book::Sums& by) {
  Book::Sums& sums = figures[key];
  for (std::size_t i = 0; i < by.size(); ++i) sums[i] += by[i];
}

std::string day_text(std::int64_t time_ms) { return to_rfc3339(from_ms(time_ms)).substr(0, 10); }

std::string FirstNames::of(const std::string& name) {
  if (!name.empty() && names_.size() < names_max_) names_.insert(name);
  return name.empty() || names_.contains(name) ? name : "(other)";
}

void SalesOracle::apply(const Event& event) {
  if (!event.snapshot) {
    end_life(living_[event.customer]);
    living_.erase(event.customer);
    return;
  }
  const Snapshot& snapshot = *event.snapshot;
  if (snapshot.customer.empty()) {
    introduce(snapshot);
    add_sale(snapshot);
    return;
  }
  watermark_ms_ = std::max(watermark_ms_, snapshot.time_ms - 60'000);
  Numbers& numbers = living_[snapshot.customer];
  const std::pair key(snapshot.number, snapshot.is_credit());
  if (const auto known = numbers.find(key); known != numbers.end()) {
    if (snapshot.rank() <= known->second.snapshot.rank()) return;
    leave_lines(known->second);
  }
  const bool is_void = snapshot.type == Type::kVoid;
  if (!is_void) introduce(snapshot);
  numbers[key] = {snapshot, !is_void && is_kept(snapshot)};
}

Sales SalesOracle::take() {
  for (auto& [customer, numbers] : living_) end_life(numbers);
  return std::move(sales_);
}

bool SalesOracle::is_kept(const Snapshot& sale) const {
  return undo_ms_ > 0 && sale.time_ms / kDayMs >= (watermark_ms_ - undo_ms_) / kDayMs;
}

void SalesOracle::introduce(const Snapshot& sale) {
  const std::int64_t day = sale.time_ms / kDayMs;
  for (const Line& line : sale.lines) {
    if (products_.of(line.product) != line.product) continue;
    std::int64_t& described_on = described_on_.try_emplace(line.product, -1).first->second;
    std::string& description = sales_.descriptions[line.product];
    if (day <= described_on || description == line.description) continue;
    described_on = day;
    description = line.description;
  }
  countries_.of(sale.country);
}

void SalesOracle::leave_lines(const Winner& replaced) {
  const Snapshot& sale = replaced.snapshot;
  if (sale.type == Type::kVoid || (replaced.has_lines && is_kept(sale))) return;
  add_sale(sale);
  ++left_lines_;
  const std::int64_t amount = sale.amount();
  const std::string month = day_text(sale.time_ms).substr(0, 7);
  add(sales_.figures, fmt::format("product {} ", month),
      {amount > 0 ? -amount : 0, amount < 0 ? amount : 0, 0, 0});
  add_to_day_and_hour(sale, 0, -1);
}

void SalesOracle::end_life(const Numbers& numbers) {
  std::set<std::string> bought;  // Days and countries, as they were said.
  for (const auto& [number, winner] : numbers) {
    const Snapshot& sale = winner.snapshot;
    if (sale.type == Type::kVoid) continue;
    add_sale(sale);
    const std::string day = day_text(sale.time_ms);
    if (!sale.is_credit() && bought.insert(day + sale.country).second)
      add(sales_.figures, fmt::format("day {} {}", day, countries_.of(sale.country)),
          {0, 0, 0, 0, 1, 0});
  }
}

void SalesOracle::add_sale(const Snapshot& sale) {
  const std::string month = day_text(sale.time_ms).substr(0, 7);
  std::int64_t units = 0;
  for (const Line& line : sale.lines) {
    const std::int64_t amount = line.quantity * line.price * 100;
    units += line.quantity * 10'000;
    add(sales_.figures, fmt::format("product {} {}", month, products_.of(line.product)),
        {std::max<std::int64_t>(amount, 0), std::max<std::int64_t>(-amount, 0),
         line.quantity * 10'000, 1});
  }
  add_to_day_and_hour(sale, units, 1);
}

void SalesOracle::add_to_day_and_hour(const Snapshot& sale, std::int64_t units, std::int64_t sign) {
  const std::int64_t worth = std::abs(sale.amount());
  const std::string day = day_text(sale.time_ms);
  const std::int64_t gross = sale.is_credit() ? 0 : sign * worth;
  const std::int64_t credits = sale.is_credit() ? sign * worth : 0;
  const std::int64_t invoices = sale.is_credit() ? 0 : sign;
  add(sales_.figures,
      fmt::format("{} {} {}", sale.customer.empty() ? "unnamed" : "day", day,
                  countries_.of(sale.country)),
      {gross, credits, invoices, sign * units, 0, sign - invoices});
  const std::int64_t hour = sale.time_ms / 3'600'000 - kStartDay * 24;
  add(sales_.figures, fmt::format("hour {} {}", day.substr(0, 7), (hour + kWeekday * 24) % 168),
      {gross, credits, invoices, sign * units});
}

}  // namespace rfm
