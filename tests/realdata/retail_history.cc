#include "tests/realdata/retail_history.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace rfm {
namespace {

std::uint64_t hash_of(std::uint64_t id) {
  std::uint64_t z = id + 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

// Fields of one CSV line; quotes may surround a field and are doubled inside.
std::vector<std::string> split_csv(const std::string& text) {
  std::vector<std::string> fields(1);
  bool is_quoted = false;
  for (const char c : text) {
    if (c == '"') {
      is_quoted = !is_quoted;
    } else if (c == ',' && !is_quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

// A decimal number with at most 4 digits after the point, times 10^4.
std::int64_t parse_scaled(const std::string& text) {
  return static_cast<std::int64_t>(std::strtod(text.c_str(), nullptr) * 10000 + 0.5);
}

int number_at(const std::string& text, std::size_t at, std::size_t length) {
  return std::atoi(text.substr(at, length).c_str());  // NOLINT(cert-err34-c)
}

}  // namespace

std::int64_t midnight_ms(int year, int month, int day) {
  const std::chrono::sys_days days = std::chrono::year(year) / month / day;
  return std::int64_t{days.time_since_epoch().count()} * 86400000;
}

std::string data_dir() {
  const char* configured = std::getenv("RFM_DATA_DIR");  // NOLINT(concurrency-mt-unsafe)
  return configured != nullptr ? configured : "../shared/data";
}

bool read_lines(const std::string& command, std::vector<std::string>& lines) {
  FILE* pipe = popen(command.c_str(), "r");  // NOLINT(cert-env33-c): a test's own command.
  if (pipe == nullptr) return false;
  std::array<char, 1 << 16> buffer{};
  std::string rest;
  for (std::size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    const std::string_view chunk(buffer.data(), n);
    std::size_t from = 0;
    for (std::size_t end = 0; (end = chunk.find('\n', from)) != std::string_view::npos;
         from = end + 1) {
      rest += chunk.substr(from, end - from);
      lines.push_back(std::exchange(rest, {}));
    }
    rest += chunk.substr(from);
  }
  return pclose(pipe) == 0 && !lines.empty();
}

std::optional<RetailHistory> RetailHistory::load(Cancellations cancellations) {
  std::vector<std::string> text;
  const std::string file = data_dir() + "/online_retail.csv.xz";
  if (!read_lines("xz -dc '" + file + "' 2>/dev/null", text)) return std::nullopt;

  RetailHistory history;
  std::unordered_map<std::uint64_t, std::uint32_t> customers;
  std::unordered_map<std::string, bool> invoices;
  for (std::size_t i = 1; i < text.size(); ++i) {
    // InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
    if (text[i].empty() || text[i][0] == 'A') continue;
    const bool is_cancellation = text[i][0] == 'C';
    if (is_cancellation && cancellations == Cancellations::kIgnored) continue;
    const std::vector<std::string> fields = split_csv(text[i]);
    if (fields.size() < 8 || fields[6].empty()) continue;
    const std::uint64_t id = std::strtoull(fields[6].c_str(), nullptr, 10);
    const auto [customer, is_new] =
        customers.emplace(id, static_cast<std::uint32_t>(history.customer_ids_.size()));
    if (is_new) history.customer_ids_.push_back(id);
    const std::string& when = fields[4];
    const std::int64_t seconds =
        number_at(when, 11, 2) * 3600 + number_at(when, 14, 2) * 60 + number_at(when, 17, 2);
    history.lines_.push_back(
        {.time_ms =
             midnight_ms(number_at(when, 0, 4), number_at(when, 5, 2), number_at(when, 8, 2)) +
             seconds * 1000,
         .amount = std::strtoll(fields[3].c_str(), nullptr, 10) * parse_scaled(fields[5]),
         .customer = customer->second,
         .is_new_invoice = !is_cancellation && invoices.emplace(fields[0], true).second ? 1U : 0U,
         .is_cancellation = is_cancellation});
  }
  std::stable_sort(history.lines_.begin(), history.lines_.end(),
                   [](const Line& a, const Line& b) { return a.time_ms < b.time_ms; });
  return history;
}

std::vector<SampleRow> RetailHistory::snapshot(std::int64_t at_ms) const {
  std::vector<SampleRow> rows(customer_ids_.size());
  for (const Line& line : lines_) {
    if (line.time_ms >= at_ms) break;
    SampleRow& row = rows[line.customer];
    row.monetary += line.amount;
    if (line.is_cancellation) continue;
    if (row.frequency == 0) row.first_purchase_ms = line.time_ms;
    row.last_purchase_ms = line.time_ms;
    row.frequency += line.is_new_invoice;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].id_hash = hash_of(customer_ids_[i]);
  std::erase_if(rows, [](const SampleRow& row) { return row.frequency == 0; });
  std::sort(rows.begin(), rows.end(),
            [](const SampleRow& a, const SampleRow& b) { return a.id_hash < b.id_hash; });
  return rows;
}

std::map<std::uint64_t, std::set<std::int64_t>> RetailHistory::purchase_days() const {
  std::map<std::uint64_t, std::set<std::int64_t>> days;
  for (const Line& line : lines_) {
    if (!line.is_cancellation) days[customer_ids_[line.customer]].insert(line.time_ms / 86400000);
  }
  return days;
}

}  // namespace rfm
