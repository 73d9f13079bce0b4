// The logs that a row is judged by: rules and models, each with the epochs in which it holds.
#pragma once

#include <cstdint>

#include "state/assertion.h"
#include "state/customer_row.h"
#include "state/model_timeline.h"
#include "state/rules.h"

namespace rfm {

struct TimeContext {
  // The first version. What later ones cannot change (how invoices count and how long they are
  // kept) may be asked of it, whatever the row is under.
  const Rules& rules;
  const ModelTimeline& models;

  // Null: there is none.
  const Rules* find_rules(std::int64_t version) const {
    return version == rules.version ? &rules : models.rules(version);
  }
  // Those that the row is under.
  const Rules& rules_of(const CustomerRow& row) const {
    const Rules* const found = find_rules(row.rules);
    RFM_ASSERT(found != nullptr);
    return *found;
  }
  const Rules& rules_in(std::int64_t epoch) const {
    const Rules* const later = models.rules_in(epoch);
    return later == nullptr ? rules : *later;
  }
};

}  // namespace rfm
