#include "stream/analyse/segment_profiles.h"

#include <algorithm>

#include "model/axis_value.h"
#include "state/evaluation.h"

namespace rfm {
namespace {

// Sorts before another.
auto place_of(const Segmentation& segmentation, SegmentCode code) {
  const SegmentInfo& info = segment_info(segmentation, code);
  return std::tuple(code < kFirstSegment, -info.rank, std::string_view(info.name));
}

}  // namespace

void ProfileSums::add(const CustomerFigures& figures) {
  ++customers;
  add_to(monetary, figures.facts.monetary);
  add_to(orders, figures.facts.frequency);
  if (figures.facts.frequency > 0) {
    ++buyers;
    add_to(recency_ms, rfm::recency_ms(figures.facts));
  }
  if (figures.risk) {
    ++scored;
    add_to(risk, *figures.risk);
    add_to(value_at_risk, figures.value_at_risk);
  }
}

void ProfileSums::add(const ProfileSums& other) {
  add_to(customers, other.customers);
  add_to(monetary, other.monetary);
  add_to(orders, other.orders);
  add_to(buyers, other.buyers);
  add_to(recency_ms, other.recency_ms);
  add_to(scored, other.scored);
  add_to(risk, other.risk);
  add_to(value_at_risk, other.value_at_risk);
}

double ProfileSums::recency_days() const {
  return ratio(static_cast<double>(recency_ms) / kDayMs, static_cast<double>(buyers));
}

double ProfileSums::churn_risk() const {
  return ratio(static_cast<double>(risk) / kRiskUnits, static_cast<double>(scored));
}

void SegmentProfiles::add(const CustomerFigures& figures) {
  all_.add(figures);
  for (std::size_t s = 0; s < profiles_.size(); ++s) {
    const SegmentCode code = segment_of(figures, s);
    profiles_[s][code].add(figures);
    CountrySums& country = countries_[{s, figures.row.country, code}];
    ++country.customers;
    add_to(country.monetary, figures.facts.monetary);
  }
}

void SegmentProfiles::merge(const SegmentProfiles& other) {
  all_.add(other.all_);
  for (std::size_t s = 0; s < profiles_.size(); ++s) {
    for (const auto& [code, sums] : other.profiles_[s]) profiles_[s][code].add(sums);
  }
  for (const auto& [key, sums] : other.countries_) {
    CountrySums& country = countries_[key];
    add_to(country.customers, sums.customers);
    add_to(country.monetary, sums.monetary);
  }
}

std::vector<SegmentProfile> SegmentProfiles::of(const Rules& rules,
                                                std::size_t segmentation) const {
  std::vector<SegmentProfile> profiles;
  for (const auto& [code, sums] : profiles_[segmentation]) profiles.push_back({code, sums});
  const Segmentation& meaning = rules.segmentations[segmentation];
  std::ranges::sort(profiles, {}, [&](const SegmentProfile& profile) {
    return place_of(meaning, profile.segment);
  });
  return profiles;
}

std::vector<SegmentCountry> SegmentProfiles::countries(const Rules& rules,
                                                       std::size_t segmentation) const {
  std::vector<SegmentCountry> countries;
  for (const auto& [key, sums] : countries_) {
    const auto& [s, country, code] = key;
    if (s == segmentation) countries.push_back({code, country, sums.customers, sums.monetary});
  }
  const Segmentation& meaning = rules.segmentations[segmentation];
  std::ranges::sort(countries, {}, [&](const SegmentCountry& row) {
    return std::tuple(std::string_view(row.country), place_of(meaning, row.segment));
  });
  return countries;
}

}  // namespace rfm
