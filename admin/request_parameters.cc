#include "admin/request_parameters.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "state/epoch.h"
#include "stream/text/decimal.h"
#include "stream/text/time_text.h"
#include "stream/text/utf8.h"

namespace rfm {

RequestParameters::RequestParameters(const AdminRequest& request,
                                     std::span<const std::string_view> allowed)
    : request_(request) {
  std::string_view before;
  for (const auto& [name, value] : request.parameters) {
    const bool is_known = std::ranges::find(allowed, name) != allowed.end();
    if (!is_known && status_.ok()) {
      status_ = absl::InvalidArgumentError(fmt::format(
          "there is no parameter {}; allowed: {}", shown(name),
          allowed.empty() ? std::string("none") : fmt::format("{}", fmt::join(allowed, ", "))));
    }
    if (name == before) refuse(name, "once");
    before = name;
  }
}

const std::string* RequestParameters::find(std::string_view name) const {
  const auto found =
      std::ranges::find_if(request_.parameters, [&](const auto& p) { return p.first == name; });
  return found == request_.parameters.end() ? nullptr : &found->second;
}

void RequestParameters::refuse(std::string_view name, std::string_view allowed) {
  if (!status_.ok()) return;
  const std::string* const value = find(name);
  status_ = absl::InvalidArgumentError(fmt::format(
      "{} = {}: allowed: {}", name, value == nullptr ? "nothing" : shown(*value), allowed));
}

std::optional<std::string> RequestParameters::text(std::string_view name) {
  const std::string* const value = find(name);
  if (value == nullptr) return std::nullopt;
  return *value;
}

std::int64_t RequestParameters::integer(std::string_view name, std::int64_t otherwise,
                                        std::int64_t least, std::int64_t most) {
  const std::string* const value = find(name);
  if (value == nullptr) return otherwise;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (error == std::errc() && end == value->data() + value->size() && number >= least &&
      number <= most)
    return number;
  refuse(name, fmt::format("a whole number from {} to {}", least, most));
  return otherwise;
}

double RequestParameters::real(std::string_view name, double otherwise, double least, double most) {
  const std::string* const value = find(name);
  if (value == nullptr) return otherwise;
  double number = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number,
                                            std::chars_format::fixed);
  if (error == std::errc() && end == value->data() + value->size() && number >= least &&
      number <= most)
    return number;
  refuse(name, fmt::format("a number from {} to {}", least, most));
  return otherwise;
}

std::optional<Money> RequestParameters::money(std::string_view name) {
  const std::string* const value = find(name);
  if (value == nullptr) return std::nullopt;
  const ParsedDecimal read = parse_decimal(*value);
  const std::optional<Money> amount =
      read.error == DecimalError::kNone ? to_money(read.value) : std::nullopt;
  if (!amount) refuse(name, "an amount such as 941.94");
  return amount;
}

std::optional<std::string> RequestParameters::utf8(std::string_view name) {
  std::optional<std::string> value = text(name);
  if (!value || is_utf8(*value)) return value;
  refuse(name, "text in UTF-8");
  return std::nullopt;
}

void RequestParameters::check_range(std::optional<std::int64_t> from,
                                    std::optional<std::int64_t> to) {
  if (from && to && *from > *to) refuse("from", "a date that is not after `to`");
}

std::optional<std::int64_t> RequestParameters::day(std::string_view name) {
  const std::string* const value = find(name);
  if (value == nullptr) return std::nullopt;
  constexpr std::size_t kDateBytes = 10;
  if (value->size() == kDateBytes) {
    TimeReader reader(std::chrono::minutes{0});
    if (const auto time = reader.read(*value + "T00:00"); time && to_date(*time) == *value)
      return epoch_of(*time);
  }
  refuse(name, fmt::format("a date YYYY-MM-DD from {} to {}", to_date(kEarliestEventTime),
                           to_date(kLatestEventTime - Duration{1})));
  return std::nullopt;
}

}  // namespace rfm
