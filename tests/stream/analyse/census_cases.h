// Random customers whose invoices are known outside of their ledgers too.
#pragma once

#include <string>
#include <vector>

#include "model/axis_value.h"
#include "state/evaluation.h"
#include "state/hashes.h"
#include "stream/analyse/census.h"
#include "tests/state/random_models.h"

namespace rfm {

inline const EventTime kCensusAt = boundary_of(kFirstEpoch + 20);

struct CensusCustomer {
  CustomerRow row;
  std::vector<LedgerInvoice> invoices;  // As they were given; each number once.
};

// A model, rules with a lifetime window and customers over some two years.
class CensusCases {
 public:
  CensusCases(std::uint64_t seed, int customers) : random_(seed) {
    rules_.segmentations = random_segmentations(random_, Damping::kOff);
    rules_.monetary = random_.happens(.5) ? MonetaryKind::kNet : MonetaryKind::kGross;
    if (random_.happens(.8)) version_.churn = random_churn(random_);
    version_.cuts = random_cuts(random_, rules_.segmentations);
    version_.clusters = random_clusters(random_);
    for (int i = 0; i < customers; ++i) all_.push_back(customer(i));
  }

  const Rules& rules() const { return rules_; }
  const ModelVersion& version() const { return version_; }
  const std::vector<CensusCustomer>& all() const { return all_; }
  Random& random() { return random_; }
  CustomerFacts facts(const CustomerRow& row) const {
    return facts_of(row, rules_, &version_, kCensusAt);
  }
  void add_to(Census& census, const CensusCustomer& customer) const {
    census.add(customer.row, facts(customer.row), rules_);
  }

 private:
  LedgerInvoice invoice(const std::vector<LedgerInvoice>& before) {
    LedgerInvoice made{.number_hash = random_.engine() | 1,
                       .amount = {random_.between(0, 3'000'000)},
                       .time = kCensusAt - Duration{random_.between(0, 700 * kDayMs)}};
    if (random_.happens(.1)) made.amount = {-random_.between(1, 100'000)};
    if (random_.happens(.05)) made.is_void = true;
    if (random_.happens(.25)) {
      made.type = InvoiceType::kCredit;
      if (!before.empty() && random_.happens(.6)) {
        const auto at = static_cast<std::size_t>(
            random_.between(0, static_cast<std::int64_t>(before.size()) - 1));
        if (before[at].type == InvoiceType::kInvoice) {
          made.original_hash = before[at].number_hash;
          if (random_.happens(.5)) made.amount = magnitude(before[at].amount);
        }
      }
    }
    if (made.is_void) made.amount = {};
    return made;
  }

  CensusCustomer customer(int number) {
    CensusCustomer made;
    made.row.id = "c" + std::to_string(number);
    made.row.id_hash = customer_hash(made.row.id);
    made.row.country = "country " + std::to_string(random_.between(1, 3));
    for (std::int64_t n = random_.between(0, 25); n > 0; --n) {
      made.invoices.push_back(invoice(made.invoices));
      EXPECT_EQ(made.row.ledger.put(made.invoices.back(), rules_, kCensusAt),
                LedgerOutcome::kApplied);
    }
    for (const Segmentation& segmentation : rules_.segmentations.all()) {
      const auto last = static_cast<std::int64_t>(
          segmentation.is_cluster() ? kNamedClusterCount : segmentation.info_count());
      SegmentState state;
      state.segment = static_cast<SegmentCode>(random_.between(0, last + 1));
      made.row.segments.push_back(state);
    }
    return made;
  }

  Random random_;
  Rules rules_;
  ModelVersion version_;
  std::vector<CensusCustomer> all_;
};

}  // namespace rfm
