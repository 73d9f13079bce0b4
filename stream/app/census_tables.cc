#include "stream/app/census_tables.h"

#include "stream/analyse/money_sum.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr int kShareDecimals = 6;

void fill_segment(const Segmentation& segmentation, const SegmentProfile& profile,
                  const ProfileSums& all, TableRow& row) {
  const SegmentInfo& info = segment_info(segmentation, profile.segment);
  const ProfileSums& sums = profile.sums;
  row.clear();
  row.text(segmentation.name());
  row.text(info.name);
  row.integer(info.rank);
  row.text(info.description);
  row.text(info.actions.empty() ? "" : info.actions.front().text);
  row.integer(sums.customers);
  row.real(ratio(static_cast<double>(sums.customers), static_cast<double>(all.customers)),
           kShareDecimals);
  row.money(sums.monetary);
  row.real(ratio(currency_units(sums.monetary), currency_units(all.monetary)), kShareDecimals);
  row.integer(sums.orders);
  if (sums.orders > 0) {
    row.real(sums.order_value(), 4);
  } else {
    row.absent();
  }
  if (sums.buyers > 0) {
    row.real(sums.recency_days(), 6);
  } else {
    row.absent();
  }
  row.real(sums.frequency(), 6);
  row.real(sums.monetary_mean(), 4);
  if (sums.scored > 0) {
    row.real(sums.churn_risk(), 9);
    row.money(sums.value_at_risk);
  } else {
    row.absent();
    row.absent();
  }
}

}  // namespace

absl::Status write_segments(const Census& census, const std::string& currency,
                            TableOutput& output) {
  absl::Status written = output.begin("segments", {{"segmentation", ColumnType::kText},
                                                   {"segment", ColumnType::kText},
                                                   {"rank", ColumnType::kInteger},
                                                   {"description", ColumnType::kText},
                                                   {"action", ColumnType::kText},
                                                   {"customers", ColumnType::kInteger},
                                                   {"share", ColumnType::kReal},
                                                   {"monetary", ColumnType::kReal},
                                                   {"revenue_share", ColumnType::kReal},
                                                   {"orders", ColumnType::kInteger},
                                                   {"aov", ColumnType::kReal},
                                                   {"recency_days", ColumnType::kReal},
                                                   {"frequency", ColumnType::kReal},
                                                   {"monetary_mean", ColumnType::kReal},
                                                   {"churn_risk", ColumnType::kReal},
                                                   {"value_at_risk", ColumnType::kReal},
                                                   {"currency", ColumnType::kText},
                                                   {"as_of", ColumnType::kText}});
  TableRow row;
  const Segmentations& segmentations = census.rules().segmentations;
  for (std::size_t s = 0; s < segmentations.size(); ++s) {
    for (const SegmentProfile& profile : census.segments().of(census.rules(), s)) {
      if (!written.ok()) return written;
      fill_segment(segmentations[s], profile, census.segments().all(), row);
      row.text(currency);
      row.text(to_rfc3339(census.as_of()));
      written = output.write(row);
    }
  }
  return written;
}

absl::Status write_cohorts(const Census& census, const std::string& currency, TableOutput& output) {
  absl::Status written = output.begin("cohorts", {{"cohort", ColumnType::kText},
                                                  {"customers", ColumnType::kInteger},
                                                  {"month", ColumnType::kText},
                                                  {"months_since", ColumnType::kInteger},
                                                  {"buyers", ColumnType::kInteger},
                                                  {"share", ColumnType::kReal},
                                                  {"revenue", ColumnType::kReal},
                                                  {"complete", ColumnType::kInteger},
                                                  {"currency", ColumnType::kText},
                                                  {"as_of", ColumnType::kText}});
  TableRow row;
  for (const Cohort& cohort : census.cohorts().all()) {
    for (const CohortMonth& month : cohort.until(calendar_month_of(census.as_of()))) {
      if (!written.ok()) return written;
      row.clear();
      row.text(month_text(cohort.month));
      row.integer(cohort.customers);
      row.text(month_text(month.month));
      row.integer(month.month - cohort.month);
      row.integer(month.buyers);
      row.real(ratio(static_cast<double>(month.buyers), static_cast<double>(cohort.customers)),
               kShareDecimals);
      row.money(month.revenue);
      row.integer(month_start(month.month + 1) <= census.as_of() ? 1 : 0);
      row.text(currency);
      row.text(to_rfc3339(census.as_of()));
      written = output.write(row);
    }
  }
  return written;
}

}  // namespace rfm
