#include "stream/report/figure_text.h"

#include <fmt/format.h>

namespace rfm {
namespace {

// Marks thousands in "-1234.50".
std::string grouped_digits(std::string text) {
  const std::size_t first = text.front() == '-' ? 1 : 0;
  std::size_t end = text.find('.');
  if (end == std::string::npos) end = text.size();
  for (; end > first + 3; end -= 3) text.insert(end - 3, ",");
  return text;
}

}  // namespace

std::string count_text(std::int64_t count) { return grouped_digits(std::to_string(count)); }

std::string plural_text(std::int64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count_text(count), what, count == 1 ? "" : "s");
}

std::string named(const std::string& name) { return name.empty() ? "(not said)" : name; }

std::string number_text(double number, int decimals) {
  return grouped_digits(fmt::format("{:.{}f}", number, decimals));
}

std::string percent_text(double share) { return fmt::format("{:.1f} %", share * 100); }

std::string amount_text(Money amount) {
  constexpr std::int64_t kUnitsPerHundredth = Money::kUnitsPerCurrencyUnit / 100;
  const std::int64_t half = kUnitsPerHundredth / 2;
  const std::int64_t hundredths = amount.units / kUnitsPerHundredth +
                                  (amount.units % kUnitsPerHundredth >= half) -
                                  (amount.units % kUnitsPerHundredth <= -half);
  const std::uint64_t size = hundredths < 0 ? 0 - static_cast<std::uint64_t>(hundredths)
                                            : static_cast<std::uint64_t>(hundredths);
  return grouped_digits(
      fmt::format("{}{}.{:02}", hundredths < 0 ? "-" : "", size / 100, size % 100));
}

std::string money_text(Money amount, const std::string& currency) {
  return currency.empty() ? amount_text(amount) : amount_text(amount) + " " + currency;
}

}  // namespace rfm
