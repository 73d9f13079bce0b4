#include "stream/generate/seasonal_clock.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "state/assertion.h"

namespace rfm {

namespace {

// Mean 1 over the day, over the week and (nearly) over the year.
constexpr std::array<double, 24> kHours = {.02,  .01,  .01,  .01,  .01,  .02,  .05,  .30,
                                           .90,  1.60, 2.10, 2.30, 2.50, 2.30, 2.10, 1.90,
                                           1.60, 1.20, .90,  .80,  .70,  .45,  .16,  .06};
constexpr std::array<double, 7> kWeekdays = {1.15, 1.15, 1.15, 1.25,
                                             1.10, .45,  .75};  // From Monday.

struct SeasonAnchor {
  int day;  // Of the year, from 0.
  double factor;
};
constexpr std::array<SeasonAnchor, 11> kSeason = {{{0, .55},  // After Christmas.
                                                   {30, .75},
                                                   {120, .90},
                                                   {210, .90},
                                                   {243, 1.05},  // September.
                                                   {289, 1.35},
                                                   {320, 1.85},  // Christmas shopping.
                                                   {349, 1.80},
                                                   {357, .60},
                                                   {359, .20},  // Christmas.
                                                   {366, .55}}};

double season(int day_of_year) {
  for (std::size_t i = 1; i < kSeason.size(); ++i) {
    if (day_of_year > kSeason[i].day) continue;
    const double share = static_cast<double>(day_of_year - kSeason[i - 1].day) /
                         static_cast<double>(kSeason[i].day - kSeason[i - 1].day);
    return kSeason[i - 1].factor + share * (kSeason[i].factor - kSeason[i - 1].factor);
  }
  return kSeason.back().factor;
}

}  // namespace

SeasonalClock::SeasonalClock(EventTime start, int days, TradingHours hours)
    : start_(std::chrono::floor<std::chrono::hours>(start)),
      end_(start_ + std::chrono::days{days}) {
  RFM_ASSERT(days >= 1);
  const std::size_t hour_count = static_cast<std::size_t>(days) * 24;
  cumulative_.reserve(hour_count + 1);
  double passed = 0;
  for (std::size_t i = 0; i < hour_count; ++i) {
    cumulative_.push_back(passed);
    const EventTime time = start_ + std::chrono::hours{static_cast<std::int64_t>(i)};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const auto new_year = std::chrono::sys_days{date.year() / std::chrono::January / 1};
    double intensity = season(static_cast<int>((day - new_year).count()));
    if (hours == TradingHours::kShop) {
      intensity *= kHours[static_cast<std::size_t>((time - day) / std::chrono::hours{1})];
      intensity *= kWeekdays[std::chrono::weekday{day}.iso_encoding() - 1];
    }
    passed += intensity / 24;
  }
  cumulative_.push_back(passed);
}

EventTime SeasonalClock::at(double shop_days) const {
  const auto next = std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, shop_days);
  const auto hour = next - cumulative_.begin() - 1;
  const double begin = *(next - 1);
  const double share = (shop_days - begin) / (*next - begin);
  const auto second = std::clamp<std::int64_t>(static_cast<std::int64_t>(share * 3600), 0, 3599);
  return start_ + std::chrono::hours{hour} + std::chrono::seconds{second};
}

}  // namespace rfm
