#include "state/sale_lines.h"

#include <algorithm>

#include "state/book_key.h"
#include "state/byte_codec.h"
#include "state/epoch.h"

namespace rfm {
namespace {

constexpr std::size_t kExpiredAtOnceMax = 5'000;
constexpr char kPrefix = 'l';
constexpr std::uint8_t kVersion = 1;

// The time first: what expires is in front, and what comes goes near what came before it.
void start_time(std::string& key, EventTime time) {
  const std::int64_t ms = to_ms(time);
  constexpr int kLowBits = 32;
  start_key(key, kPrefix, ms >> kLowBits);
  for (int shift = kLowBits - 8; shift >= 0; shift -= 8) key += static_cast<char>(ms >> shift);
}

std::string key_of(const SaleKey& sale) {
  constexpr std::size_t kSize = 9 + 2 * sizeof(std::uint64_t);
  std::string key;
  key.reserve(kSize);
  start_time(key, sale.time);
  for (const std::uint64_t hash :
       {sale.customer_hash,
        sale.type == InvoiceType::kCredit ? ~sale.number_hash : sale.number_hash}) {
    for (int shift = 0; shift < 64; shift += 8) key += static_cast<char>(hash >> shift);
  }
  return key;
}

std::optional<SaleLines::Kept> decode(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.byte() != kVersion) return std::nullopt;
  SaleLines::Kept kept;
  kept.country = in.string();
  unpack_lines(in.string(), kept.lines);
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return kept;
}

}  // namespace

void SaleLines::put(const SaleKey& key, std::string_view country,
                    std::span<const BookedLine> lines) {
  if (store_ == nullptr || epoch_of(key.time) < expire_before_) return;
  packed_.clear();
  for (const BookedLine& line : lines) pack_line(line, packed_);
  constexpr std::size_t kAroundMax = 16;
  ByteWriter out;
  out.reserve(kAroundMax + country.size() + packed_.size());
  out.byte(kVersion);
  out.string(country);
  out.string(packed_);
  pending_.push_back({key, out.take()});
}

void SaleLines::erase(const SaleKey& key) {
  if (store_ != nullptr) pending_.push_back({key, std::nullopt});
}

std::optional<SaleLines::Kept> SaleLines::find(const SaleKey& key) {
  if (store_ == nullptr || epoch_of(key.time) < expire_before_) return std::nullopt;
  for (; indexed_ < pending_.size(); ++indexed_) index_[pending_[indexed_].key] = indexed_;
  if (const auto known = index_.find(key); known != index_.end()) {
    const Change& change = pending_[known->second];
    return change.value ? decode(*change.value) : std::nullopt;
  }
  absl::StatusOr<std::optional<std::string>> stored =
      store_->find(StoreKind::kSaleLines, partition_, key_of(key));
  if (!stored.ok()) {
    if (status_.ok()) status_ = stored.status();
    return std::nullopt;
  }
  return *stored ? decode(**stored) : std::nullopt;
}

void SaleLines::append(std::vector<StoreWrite>& writes) {
  for (Change& change : pending_) {
    writes.push_back(
        {StoreKind::kSaleLines, partition_, key_of(change.key), std::move(change.value)});
  }
  append_expired(writes);
}

void SaleLines::mark_committed() {
  pending_.clear();
  index_.clear();
  indexed_ = 0;
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
