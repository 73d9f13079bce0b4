#include "stream/analyse/calendar_month.h"

#include "stream/text/time_text.h"

namespace rfm {

CalendarMonth calendar_month_of(EventTime time) {
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(time)};
  return (static_cast<int>(date.year()) - 1970) * 12 +
         static_cast<int>(static_cast<unsigned>(date.month())) - 1;
}

EventTime month_start(CalendarMonth month) {
  using std::chrono::day;
  using std::chrono::months;
  using std::chrono::sys_days;
  using std::chrono::year;
  return sys_days{(year{1970} / std::chrono::January + months{month}) / day{1}};
}

std::string month_text(CalendarMonth month) { return to_date(month_start(month)).substr(0, 7); }

}  // namespace rfm
