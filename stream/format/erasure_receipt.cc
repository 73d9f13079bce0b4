#include "stream/format/erasure_receipt.h"

#include <fmt/format.h>

#include "state/hashes.h"
#include "stream/text/json_text.h"
#include "stream/text/time_text.h"

namespace rfm {

ErasureReceipt receipt_of(const Erasure& erasure, std::string_view application) {
  ErasureReceipt receipt{.key = fmt::format("{:016x}", customer_hash(erasure.customer_id)),
                         .value = {}};
  TextBuffer text;
  JsonText out(text);
  out.begin_object();
  out.key("application").text(application);
  out.key("customer_hash").text(receipt.key);
  out.key("partition").integer(erasure.partition);
  out.key("offset").integer(erasure.position);
  if (erasure.at != kBeforeAll) out.key("erased_at").text(to_rfc3339(erasure.at));
  out.key("found").boolean(erasure.row != nullptr);
  if (erasure.row != nullptr) {
    const CustomerRow& row = *erasure.row;
    if (row.birth != 0) out.key("birth").text(fmt::format("{:08x}", row.birth >> 32));
    const std::size_t entries = row.ledger.invoices().size() + row.ledger.folded().count;
    out.key("invoices").integer(static_cast<std::int64_t>(entries));
    std::int64_t transitions = 0;
    for (const SegmentState& state : row.segments) transitions += state.seq;
    out.key("transitions").integer(transitions);
  }
  out.end_object();
  receipt.value = std::string(text.view());
  return receipt;
}

}  // namespace rfm
