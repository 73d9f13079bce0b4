#include "stream/text/json_text.h"

#include <cstring>

namespace rfm {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighBits = 0x8080808080808080;

// Whether any of eight characters is below `limit` <= 0x80.
constexpr bool any_below(std::uint64_t eight, std::uint64_t limit) {
  return ((eight - kOnes * limit) & ~eight & kHighBits) != 0;
}

bool needs_escape(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

bool any_needs_escape(std::string_view text) {
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, text.data() + i, 8);
    const bool quote = any_below(eight ^ (kOnes * '"'), 1);
    const bool backslash = any_below(eight ^ (kOnes * '\\'), 1);
    if (quote || backslash || any_below(eight, 0x20)) return true;
  }
  for (; i < text.size(); ++i) {
    if (needs_escape(text[i])) return true;
  }
  return false;
}

void append_escaped(TextBuffer& out, char c) {
  constexpr std::string_view kShort = "\b\f\n\r\t";
  constexpr std::string_view kShortNames = "bfnrt";
  constexpr std::string_view kHex = "0123456789ABCDEF";
  out.append('\\');
  if (c == '"' || c == '\\') return out.append(c);
  const std::size_t known = kShort.find(c);
  if (known != std::string_view::npos) return out.append(kShortNames[known]);
  out.append("u00");
  out.append(kHex[static_cast<unsigned char>(c) >> 4U]);
  out.append(kHex[static_cast<unsigned char>(c) & 0xFU]);
}

}  // namespace

void append_json_string(TextBuffer& out, std::string_view text) {
  if (!any_needs_escape(text)) {
    char* const at = out.room(text.size() + 2);
    at[0] = '"';
    text.copy(at + 1, text.size());
    at[text.size() + 1] = '"';
    out.added(text.size() + 2);
    return;
  }
  out.append('"');
  std::size_t copied = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!needs_escape(text[i])) continue;
    out.append(text.substr(copied, i - copied));
    copied = i + 1;
    append_escaped(out, text[i]);
  }
  out.append(text.substr(copied));
  out.append('"');
}

}  // namespace rfm
