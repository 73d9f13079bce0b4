// Months of the calendar (UTC), counted from January 1970.
#pragma once

#include <cstdint>
#include <string>

#include "state/event_time.h"

namespace rfm {

using CalendarMonth = std::int32_t;

CalendarMonth calendar_month_of(EventTime time);
EventTime month_start(CalendarMonth month);
std::string month_text(CalendarMonth month);  // "2010-12"

}  // namespace rfm
