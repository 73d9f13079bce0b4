// What each segment of each segmentation holds, and where it lives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "stream/analyse/customer_figures.h"
#include "stream/analyse/money_sum.h"

namespace rfm {

// Sums over customers, exact in any order.
struct ProfileSums {
  std::int64_t customers = 0;
  Money monetary;           // Net or gross, as the rules say.
  std::int64_t orders = 0;  // Frequency.
  std::int64_t buyers = 0;  // Of whom a purchase counts: recency is of these.
  std::int64_t recency_ms = 0;
  std::int64_t scored = 0;  // Who have a churn risk.
  std::int64_t risk = 0;    // In 10^-9.
  Money value_at_risk;

  void add(const CustomerFigures& figures);
  void add(const ProfileSums& other);

  // 0 of nobody.
  double recency_days() const;
  double frequency() const { return ratio(static_cast<double>(orders), count()); }
  double monetary_mean() const { return ratio(currency_units(monetary), count()); }
  double order_value() const {
    return ratio(currency_units(monetary), static_cast<double>(orders));
  }
  double churn_risk() const;

  friend bool operator==(const ProfileSums&, const ProfileSums&) = default;

 private:
  double count() const { return static_cast<double>(customers); }
};

struct SegmentProfile {
  SegmentCode segment = kNoSegmentCode;
  ProfileSums sums;
};

struct SegmentCountry {
  SegmentCode segment = kNoSegmentCode;
  std::string country;  // Of the customer's newest invoice.
  std::int64_t customers = 0;
  Money monetary;
};

class SegmentProfiles {
 public:
  explicit SegmentProfiles(std::size_t segmentations) : profiles_(segmentations) {}

  void add(const CustomerFigures& figures);
  void merge(const SegmentProfiles& other);

  const ProfileSums& all() const { return all_; }
  // Those that have customers, by rank from the highest, then by name; `none` and `Unassigned`
  // last.
  std::vector<SegmentProfile> of(const Rules& rules, std::size_t segmentation) const;
  // In order of country, then as above.
  std::vector<SegmentCountry> countries(const Rules& rules, std::size_t segmentation) const;

 private:
  struct CountrySums {
    std::int64_t customers = 0;
    Money monetary;
  };

  ProfileSums all_;
  std::vector<std::map<SegmentCode, ProfileSums>> profiles_;
  std::map<std::tuple<std::size_t, std::string, SegmentCode>, CountrySums, std::less<>> countries_;
};

}  // namespace rfm
