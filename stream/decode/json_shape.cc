#include "stream/decode/json_shape.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "stream/decode/json_number.h"
#include "stream/text/byte_block.h"
#include "stream/text/utf8.h"

namespace rfm {
namespace {

std::uint64_t load_8(const char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

// Texts between values are short: a few overlapping words instead of a call.
bool equal_bytes(const char* a, const char* b, std::size_t count) {
  if (count < 8) return std::memcmp(a, b, count) == 0;
  for (std::size_t i = 0; i + 8 < count; i += 8) {
    if (load_8(a + i) != load_8(b + i)) return false;
  }
  return load_8(a + count - 8) == load_8(b + count - 8);
}

// In a valid record: the index behind the string whose opening quote is before `next`.
std::size_t skip_valid_string(std::string_view json, std::size_t next) {
  while (json[next] != '"') next += json[next] == '\\' ? 2U : 1U;
  return next + 1;
}

std::optional<Slot> find_slot(std::string_view key, const FieldNode& record) {
  for (const FieldNode& child : record.children) {
    if (child.key == key) return child.slot;
  }
  return std::nullopt;
}

}  // namespace

void JsonShape::learn(std::string_view json, const FieldNode& record) {
  constexpr std::string_view kValueStarts = "\"-0123456789n";
  members_.clear();
  std::size_t begin = 0;  // Of the text before the next value.
  for (std::size_t next = json.find('"'); next != std::string_view::npos;) {
    const std::size_t key_end = skip_valid_string(json, next + 1);
    const std::string_view key = json.substr(next + 1, key_end - next - 2);
    const std::size_t value = json.find_first_not_of(": \t\r\n", key_end);
    if (kValueStarts.find(json[value]) == std::string_view::npos) {
      members_.clear();
      return;
    }
    members_.push_back({std::string(json.substr(begin, value - begin)), find_slot(key, record)});
    begin = json[value] == '"' ? skip_valid_string(json, value + 1)
                               : json.find_first_of(",} \t\r\n", value);
    next = json.find('"', begin);
  }
  after_ = json.substr(begin);
}

bool JsonShape::read(std::string_view json, RecordFields& fields) const {
  if (members_.empty() || json.size() < kByteBlock) return false;
  const char* next = json.data();
  const char* const end = next + json.size();
  const char* const last_block = end - kByteBlock;
  std::uint32_t non_ascii = 0;
  for (const Member& member : members_) {
    const std::size_t gap = member.before.size();
    if (static_cast<std::size_t>(end - next) <= gap) return false;
    if (!equal_bytes(next, member.before.data(), gap)) return false;
    next += gap;
    const char* const first = next;
    FieldText value;
    if (*first == '"') {
      ++next;
      BlockBits bits;
      for (;;) {
        // The last block overlaps with the one before it: what is in front of `next` is cut off.
        const char* const block = next < last_block ? next : last_block;
        bits = block_bits(block);
        non_ascii |= bits.non_ascii;
        bits.special >>= next - block;
        if (bits.special != 0) break;
        if (block == last_block) return false;
        next += kByteBlock;
      }
      next += std::countr_zero(bits.special);
      if (*next != '"') return false;
      value = {{first + 1, static_cast<std::size_t>(next - first - 1)}, FieldForm::kString};
      ++next;
    } else if (*first == 'n') {
      if (end - next < 4 || std::memcmp(next, "null", 4) != 0) return false;
      next += 4;
      value = {{first, 4}, FieldForm::kNull};
    } else {
      next = skip_json_number(next, end);
      if (next == nullptr) return false;
      value = {{first, static_cast<std::size_t>(next - first)}, FieldForm::kNumber};
    }
    if (member.slot) fields.at(*member.slot) = value;
  }
  if (std::string_view(next, static_cast<std::size_t>(end - next)) != after_) return false;
  return non_ascii == 0 || is_utf8(json);
}

}  // namespace rfm
