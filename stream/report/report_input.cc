#include "stream/report/report_input.h"

#include "stream/analyse/money_sum.h"

namespace rfm {

std::string revenue_name(const ReportInput& input) {
  return input.census.rules().monetary == MonetaryKind::kNet ? "net revenue" : "gross revenue";
}

std::string currency_name(const ReportInput& input) {
  return input.currency.empty() ? "the currency of the input" : input.currency;
}

const std::string& segment_name(const ReportInput& input, std::size_t segmentation,
                                SegmentCode code) {
  static const std::string kNobody = "(no purchase)";  // As on the page.
  if (code == kNoSegmentCode) return kNobody;
  return segment_info(input.census.rules().segmentations[segmentation], code).name;
}

double share_of(std::int64_t part, std::int64_t whole) {
  return ratio(static_cast<double>(part), static_cast<double>(whole));
}

double share_of(Money part, Money whole) {
  return ratio(currency_units(part), currency_units(whole));
}

}  // namespace rfm
