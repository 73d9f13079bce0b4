#include "state/sale_lines.h"

#include <algorithm>

#include "state/book_key.h"
#include "state/byte_codec.h"
#include "state/epoch.h"

namespace rfm {
namespace {

constexpr std::size_t kExpiredAtOnceMax = 5'000;
constexpr char kPrefix = 'l';

// The time first: what expires is in front, and what comes goes near what came before it.
void start_time(std::string& key, EventTime time) {
  const std::int64_t ms = to_ms(time);
  constexpr int kLowBits = 32;
  start_key(key, kPrefix, ms >> kLowBits);
  for (int shift = kLowBits - 8; shift >= 0; shift -= 8) key += static_cast<char>(ms >> shift);
}

std::string key_of(const SaleKey& sale) {
  std::string key;
  start_time(key, sale.time);
  ByteWriter out;
  out.fixed64(sale.customer_hash);
  out.fixed64(sale.type == InvoiceType::kCredit ? ~sale.number_hash : sale.number_hash);
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
  if (store_ != nullptr && epoch_of(key.time) >= expire_before_) change(key, encode(kept));
}

void SaleLines::erase(const SaleKey& key) {
  if (store_ != nullptr) change(key, std::nullopt);
}

void SaleLines::change(const SaleKey& key, std::optional<std::string> value) {
  std::string stored_key = key_of(key);
  if (const auto known = pending_by_key_.find(stored_key); known != pending_by_key_.end()) {
    known->second->value = std::move(value);
    return;
  }
  Change& change = pending_.emplace_back(Change{std::move(stored_key), std::move(value)});
  pending_by_key_.emplace(change.key, &change);
}

std::optional<SaleLines::Kept> SaleLines::find(const SaleKey& key) {
  if (store_ == nullptr || epoch_of(key.time) < expire_before_) return std::nullopt;
  const std::string stored_key = key_of(key);
  if (const auto pending = pending_by_key_.find(stored_key); pending != pending_by_key_.end())
    return pending->second->value ? decode(*pending->second->value) : std::nullopt;
  absl::StatusOr<std::optional<std::string>> stored =
      store_->find(StoreKind::kSaleLines, partition_, stored_key);
  if (!stored.ok()) {
    if (status_.ok()) status_ = stored.status();
    return std::nullopt;
  }
  return *stored ? decode(**stored) : std::nullopt;
}

void SaleLines::append(std::vector<StoreWrite>& writes) {
  for (Change& change : pending_) {
    writes.push_back(
        {StoreKind::kSaleLines, partition_, std::move(change.key), std::move(change.value)});
  }
  append_expired(writes);
}

// What is deleted matters to nobody: `find` does not look at days before. So nothing depends on
// when it happens.
void SaleLines::append_expired(std::vector<StoreWrite>& writes) {
  if (store_ == nullptr || expired_before_ >= expire_before_) return;
  std::string end;
  start_time(end, boundary_of(expire_before_));
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
