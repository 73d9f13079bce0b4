#include "stream/format/changelog_codec.h"

#include <optional>

#include "state/assertion.h"
#include "state/row_codec.h"

namespace rfm {
namespace {

constexpr char kRowByte = 'r';
constexpr char kMetaByte = 'm';

}  // namespace

StoreWrite row_write(PartitionId partition, std::string_view customer_id, const CustomerRow* row) {
  StoreWrite write{StoreKind::kRow, partition, std::string(customer_id), std::nullopt};
  if (row != nullptr) write.value = encode_row(*row);
  return write;
}

StoreWrite meta_write(PartitionId partition, const PartitionMeta& meta) {
  return {StoreKind::kMeta, partition, "", encode_meta(meta)};
}

std::string changelog_key(const StoreWrite& write) {
  RFM_ASSERT(write.kind == StoreKind::kRow || write.kind == StoreKind::kMeta);
  std::string key(1, write.kind == StoreKind::kRow ? kRowByte : kMetaByte);
  key += write.key;
  return key;
}

absl::StatusOr<StoreWrite> decode_changelog(PartitionId partition, const RecordView& record) {
  if (!record.key || record.key->empty())
    return absl::DataLossError("changelog: a record has no key");
  StoreWrite write{.kind = StoreKind::kRow,
                   .partition = partition,
                   .key = std::string(record.key->substr(1)),
                   .value = std::nullopt};
  if (record.value) write.value = std::string(*record.value);
  if (record.key->front() == kRowByte) return write;
  if (record.key->front() != kMetaByte || !write.key.empty())
    return absl::DataLossError("changelog: a record is of an unknown kind");
  if (!write.value) return absl::DataLossError("changelog: the meta row was deleted");
  write.kind = StoreKind::kMeta;
  return write;
}

}  // namespace rfm
