// Who stopped buying, and who came back, month by month.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "stream/analyse/calendar_month.h"
#include "stream/analyse/customer_figures.h"

namespace rfm {

// A customer is lost once he has bought nothing for so long.
inline constexpr Duration kLostAfter = std::chrono::hours{24 * 90};

struct LostMonth {
  CalendarMonth month = 0;
  std::int64_t lost = 0;      // On their 90th day without a purchase.
  std::int64_t regained = 0;  // Lost before, at the purchase that ended it.

  friend bool operator==(const LostMonth&, const LostMonth&) = default;
};

class LostCustomers {
 public:
  void add(const CustomerFigures& figures);
  void merge(const LostCustomers& other);

  // From the first month with any to the last, without gaps.
  std::vector<LostMonth> all() const;

 private:
  struct Counts {
    std::int64_t lost = 0;
    std::int64_t regained = 0;
  };

  std::map<CalendarMonth, Counts> months_;
};

}  // namespace rfm
