// The changelog: each record is one write to the store, of a customer's row, a cell of the books,
// lines of a sale or the partition's meta row, so that another machine can make the same writes.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "state/customer_row.h"
#include "state/state_store.h"
#include "stream/format/partition_meta.h"
#include "stream/record/record.h"

namespace rfm {

// `row`: null if the customer is gone.
StoreWrite row_write(PartitionId partition, std::string_view customer_id, const CustomerRow* row);
StoreWrite meta_write(PartitionId partition, const PartitionMeta& meta);

// A kind byte, then the write's key. The record's value is the write's.
std::string changelog_key(const StoreWrite& write);

// kDataLoss: not what a changelog holds.
absl::StatusOr<StoreWrite> decode_changelog(PartitionId partition, const RecordView& record);

}  // namespace rfm
