#include "state/book.h"

#include "state/byte_codec.h"

namespace rfm {
namespace {

constexpr std::uint8_t kVersion = 1;

}  // namespace

Book::Place& Book::at(std::string_view key) {
  auto found = cells_.find(key);
  if (found == cells_.end()) {
    found = cells_.try_emplace(std::string(key)).first;
    found->second.key_ = &found->first;
  }
  return found->second;
}

Book::Cell& Book::change(Place& place) {
  if (!std::exchange(place.is_dirty_, true)) dirty_.push_back(&place);
  return place.cell_;
}

void Book::add(Place& place, const Sums& by) {
  Cell& cell = change(place);
  for (std::size_t i = 0; i < kSums; ++i) {
    cell.sums[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(cell.sums[i]) +
                                             static_cast<std::uint64_t>(by[i]));
  }
}

void Book::note(Place& place, const Sums& sums, std::string_view text) {
  Cell& cell = change(place);
  cell.sums = sums;
  cell.text = text;
}

const Book::Cell* Book::find(std::string_view key) const {
  const auto found = cells_.find(key);
  return found == cells_.end() || found->second.cell_.is_empty() ? nullptr : &found->second.cell_;
}

void Book::mark_committed() {
  for (Place* changed : dirty_) changed->is_dirty_ = false;
  dirty_.clear();
}

// Version, how many sums there are up to the last that is not 0, these, whether there is a text,
// and that.
std::optional<std::string> Book::encoded(const Cell& cell) {
  if (cell.is_empty()) return std::nullopt;
  std::size_t count = kSums;
  while (count > 0 && cell.sums[count - 1] == 0) --count;
  ByteWriter out;
  out.byte(kVersion);
  out.byte(static_cast<std::uint8_t>(count));
  for (std::size_t i = 0; i < count; ++i) out.signed_varint(cell.sums[i]);
  out.byte(cell.text ? 1 : 0);
  if (cell.text) out.string(*cell.text);
  return out.take();
}

std::optional<Book::Cell> Book::decode(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.byte() != kVersion) return std::nullopt;
  Cell cell;
  const std::size_t count = in.byte();
  if (count > kSums) return std::nullopt;
  for (std::size_t i = 0; i < count; ++i) cell.sums[i] = in.signed_varint();
  if (in.byte() != 0) cell.text = std::string(in.string());
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return cell;
}

bool Book::restore(std::string_view key, std::string_view bytes) {
  std::optional<Cell> cell = decode(bytes);
  if (!cell) return false;
  at(key).cell_ = *std::move(cell);
  return true;
}

void Book::forget(std::string_view key) {
  if (const auto found = cells_.find(key); found != cells_.end()) cells_.erase(found);
}

std::size_t Book::bytes() const {
  return cells_.size() * (sizeof(Cells::value_type) + sizeof(void*) * 2) +
         cells_.capacity() * (sizeof(void*) + 1);
}

}  // namespace rfm
