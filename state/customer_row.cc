#include "state/customer_row.h"

namespace rfm {

bool same_state(const CustomerRow& a, const CustomerRow& b) {
  const bool same_open =
      (a.open == nullptr) == (b.open == nullptr) && (a.open == nullptr || *a.open == *b.open);
  const bool same_cooldowns = (a.cooldowns == nullptr) == (b.cooldowns == nullptr) &&
                              (a.cooldowns == nullptr || *a.cooldowns == *b.cooldowns);
  return same_open && a.id == b.id && a.birth == b.birth && a.clock == b.clock &&
         a.ledger == b.ledger && a.newest_at == b.newest_at && a.country == b.country &&
         a.consent == b.consent && a.segments == b.segments && a.quiet_until == b.quiet_until &&
         a.member == b.member && same_cooldowns;
}

}  // namespace rfm
