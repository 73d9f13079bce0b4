// What an erasure leaves behind: a record that it was done, and of what, without the customer's id.
#pragma once

#include <string>
#include <string_view>

#include "state/customer_row.h"
#include "stream/record/record.h"

namespace rfm {

struct Erasure {
  std::string_view customer_id;
  const CustomerRow* row = nullptr;  // Still there, but in no segment; null: there was none.
  PartitionId partition = 0;         // Of the record that asked for it, in the input.
  Offset position = 0;
  EventTime at{};  // By the customer's clock, or the partition's; kBeforeAll: it has none yet.
};

struct ErasureReceipt {
  std::string key;  // The customer's hash.
  std::string value;
};
ErasureReceipt receipt_of(const Erasure& erasure, std::string_view application);

}  // namespace rfm
