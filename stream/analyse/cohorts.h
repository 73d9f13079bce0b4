// Customers by the month of their first purchase, and what became of them month by month.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "stream/analyse/calendar_month.h"
#include "stream/analyse/customer_figures.h"

namespace rfm {

struct CohortMonth {
  CalendarMonth month = 0;
  std::int64_t buyers = 0;  // Customers with a purchase that counts in this month.
  // Sales less credits, each in its own month; what was credited before the first purchase is in
  // the cohort's first month.
  Money revenue;

  friend bool operator==(const CohortMonth&, const CohortMonth&) = default;
};

struct Cohort {
  CalendarMonth month = 0;  // Of the first purchase.
  std::int64_t customers = 0;
  std::vector<CohortMonth> months;  // Where anything happened, in order.

  // All months from the first purchase to `last`, with what happened or nothing.
  std::vector<CohortMonth> until(CalendarMonth last) const;

  friend bool operator==(const Cohort&, const Cohort&) = default;
};

class Cohorts {
 public:
  void add(const CustomerFigures& figures);
  void merge(const Cohorts& other);

  std::vector<Cohort> all() const;  // In order.
  // Sales less credits of those of whom no purchase counts: in no cohort.
  Money without_purchase() const { return without_purchase_; }

 private:
  struct Cell {
    std::int64_t buyers = 0;
    Money revenue;
  };

  std::map<CalendarMonth, std::int64_t> customers_;
  std::map<std::pair<CalendarMonth, CalendarMonth>, Cell> cells_;  // (cohort, month)
  Money without_purchase_;
};

}  // namespace rfm
