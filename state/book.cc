#include "state/book.h"

#include "state/byte_codec.h"
#include "state/hashes.h"

namespace rfm {
namespace {

constexpr std::uint8_t kVersion = 1;

}  // namespace

std::size_t Book::KeyHash::operator()(std::string_view key) const { return text_hash(key); }

Book::Cells::value_type& Book::entry(std::string_view key) {
  auto found = cells_.find(key);
  if (found == cells_.end()) found = cells_.emplace(std::string(key), Entry{}).first;
  if (!std::exchange(found->second.is_dirty, true)) dirty_.push_back(&*found);
  return *found;
}

void Book::add(std::string_view key, const Sums& by) {
  Cell& cell = entry(key).second.cell;
  // Wraps around where it overflows, and says so to nobody.
  for (std::size_t i = 0; i < kSums; ++i)
    static_cast<void>(__builtin_add_overflow(cell.sums[i], by[i], &cell.sums[i]));
}

void Book::note(std::string_view key, const Sums& sums, std::string_view text) {
  Cell& cell = entry(key).second.cell;
  cell.sums = sums;
  cell.text = text;
}

const Book::Cell* Book::find(std::string_view key) const {
  const auto found = cells_.find(key);
  return found == cells_.end() || found->second.cell.is_empty() ? nullptr : &found->second.cell;
}

void Book::mark_committed() {
  for (Cells::value_type* changed : dirty_) {
    changed->second.is_dirty = false;
    if (changed->second.cell.is_empty()) cells_.erase(changed->first);
  }
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
  cells_.insert_or_assign(std::string(key), Entry{.cell = *std::move(cell)});
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
