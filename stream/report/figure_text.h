// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "state/money.h"

namespace rfm {

std::string count_text(std::int64_t count);            // "-1,234,567"
std::string number_text(double number, int decimals);  // "1,234.5"
// "1 customer", "2 customers".
std::string plural_text(std::int64_t count, std::string_view what);
// What has no name is "(not said)".
std::string named(const std::string& name);
std::string percent_text(double share);  // .1234: "12.3 %"
// Rounded to hundredths, halves away from zero: "1,234.50".
std::string amount_text(Money amount);
std::string money_text(Money amount, const std::string& currency);  // "1,234.50 GBP"

}  // namespace rfm
