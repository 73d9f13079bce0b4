#include "state/sale_lines.h"

#include <algorithm>

#include "state/book_key.h"
#include "state/byte_codec.h"
#include "state/epoch.h"

namespace rfm {
namespace {

constexpr std::size_t kExpiredAtOnceMax = 5'000;
constexpr char kPrefix = 'l';

// The day first, so that what expires is in front.
std::string key_of(const SaleKey& sale) {
  std::string key;
  start_key(key, kPrefix, epoch_of(sale.time));
  ByteWriter out;
  out.fixed64(sale.customer_hash);
  out.byte(sale.type == InvoiceType::kCredit ? 1 : 0);
  out.fixed64(sale.number_hash);
  return key + out.take();
}

std::string encode(const SaleLines::Kept& kept) {
  ByteWriter out;
  out.byte(1);  // Version.
  out.string(kept.country);
  out.string(kept.lines);
  return out.take();
}

std::optional<SaleLines::Kept> decode(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.byte() != 1) return std::nullopt;
  SaleLines::Kept kept;
  kept.country = in.string();
  kept.lines = in.string();
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return kept;
}

}  // namespace

void SaleLines::put(const SaleKey& key, const Kept& kept) {
  if (store_ != nullptr && epoch_of(key.time) >= expire_before_)
    pending_.insert_or_assign(key_of(key), encode(kept));
}

void SaleLines::erase(const SaleKey& key) {
  if (store_ != nullptr) pending_.insert_or_assign(key_of(key), std::nullopt);
}

std::optional<SaleLines::Kept> SaleLines::find(const SaleKey& key) {
  if (store_ == nullptr || epoch_of(key.time) < expire_before_) return std::nullopt;
  const std::string stored_key = key_of(key);
  if (const auto pending = pending_.find(stored_key); pending != pending_.end())
    return pending->second ? decode(*pending->second) : std::nullopt;
  absl::StatusOr<std::optional<std::string>> stored =
      store_->find(StoreKind::kSaleLines, partition_, stored_key);
  if (!stored.ok()) {
    if (status_.ok()) status_ = stored.status();
    return std::nullopt;
  }
  return *stored ? decode(**stored) : std::nullopt;
}

void SaleLines::append(std::vector<StoreWrite>& writes) {
  for (const auto& [key, value] : pending_)
    writes.push_back({StoreKind::kSaleLines, partition_, key, value});
  append_expired(writes);
}

// What is deleted matters to nobody: `find` does not look at days before. So nothing depends on
// when it happens.
void SaleLines::append_expired(std::vector<StoreWrite>& writes) {
  if (store_ == nullptr || expired_before_ >= expire_before_) return;
  std::string end;
  start_key(end, kPrefix, expire_before_);
  std::size_t count = 0;
  bool is_over = true;
  const absl::Status scanned =
      store_->scan(StoreKind::kSaleLines, partition_, [&](std::string_view key, std::string_view) {
        if (key >= end) return absl::CancelledError();
        if (is_over = count < kExpiredAtOnceMax; !is_over) return absl::CancelledError();
        ++count;
        writes.push_back({StoreKind::kSaleLines, partition_, std::string(key), std::nullopt});
        return absl::OkStatus();
      });
  if (!scanned.ok() && !absl::IsCancelled(scanned)) {
    if (status_.ok()) status_ = scanned;
    return;
  }
  if (is_over) expired_before_ = expire_before_;
}

}  // namespace rfm
