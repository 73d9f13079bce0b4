#include "stream/format/changelog_codec.h"

#include <algorithm>
#include <array>
#include <optional>

#include "state/assertion.h"
#include "state/row_codec.h"

namespace rfm {
namespace {

struct Kind {
  StoreKind kind;
  char byte;
};
constexpr std::array<Kind, 4> kKinds = {{{StoreKind::kRow, 'r'},
                                         {StoreKind::kMeta, 'm'},
                                         {StoreKind::kBook, 'b'},
                                         {StoreKind::kSaleLines, 'l'}}};

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
  const auto* const kind = std::ranges::find(kKinds, write.kind, &Kind::kind);
  RFM_ASSERT(kind != kKinds.end());
  return kind->byte + write.key;
}

absl::StatusOr<StoreWrite> decode_changelog(PartitionId partition, const RecordView& record) {
  if (!record.key || record.key->empty())
    return absl::DataLossError("changelog: a record has no key");
  const auto* const kind = std::ranges::find(kKinds, record.key->front(), &Kind::byte);
  if (kind == kKinds.end()) return absl::DataLossError("changelog: a record is of an unknown kind");
  StoreWrite write{.kind = kind->kind,
                   .partition = partition,
                   .key = std::string(record.key->substr(1)),
                   .value = std::nullopt};
  if (record.value) write.value = std::string(*record.value);
  if (write.kind != StoreKind::kMeta) return write;
  if (!write.key.empty()) return absl::DataLossError("changelog: a record is of an unknown kind");
  if (!write.value) return absl::DataLossError("changelog: the meta row was deleted");
  return write;
}

}  // namespace rfm
