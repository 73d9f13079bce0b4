#include "state/customer_row.h"

namespace rfm {
namespace {

template <class Value>
bool same(const std::unique_ptr<Value>& a, const std::unique_ptr<Value>& b) {
  return (a == nullptr) == (b == nullptr) && (a == nullptr || *a == *b);
}

}  // namespace

bool same_state(const CustomerRow& a, const CustomerRow& b) {
  return same(a.open, b.open) && a.id == b.id && a.birth == b.birth && a.clock == b.clock &&
         a.ledger == b.ledger && a.newest_at == b.newest_at && a.country == b.country &&
         a.consent == b.consent && a.segments == b.segments && a.quiet_until == b.quiet_until &&
         a.member == b.member && a.rules == b.rules && same(a.cooldowns, b.cooldowns) &&
         same(a.dropped, b.dropped) && a.booked == b.booked && a.history == b.history;
}

}  // namespace rfm
