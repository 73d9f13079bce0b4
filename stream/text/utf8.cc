#include "stream/text/utf8.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <cstddef>

namespace rfm {
namespace {

constexpr std::size_t kShownBytesMax = 40;

// Bytes of the character that starts with `first`; 1 for a byte that starts none.
std::size_t character_size(char first) {
  const auto byte = static_cast<unsigned char>(first);
  if (byte >= 0xf0) return 4;
  if (byte >= 0xe0) return 3;
  return byte >= 0xc0 ? 2 : 1;
}

// Below this a loop is done before simdjson has found out what processor this is.
constexpr std::size_t kShortBytes = 64;

bool is_ascii(std::string_view text) {
  unsigned char all = 0;
  for (const char c : text) all |= static_cast<unsigned char>(c);
  return all < 0x80;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }

}  // namespace

bool is_utf8(std::string_view text) {
  if (text.size() < kShortBytes && is_ascii(text)) return true;
  return simdjson::validate_utf8(text);
}

std::string with_replacements(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view character = text.substr(i, character_size(text[i]));
    const bool valid = is_utf8(character);
    result += valid ? character : "\xef\xbf\xbd";
    i += valid ? character.size() : 1;
  }
  return result;
}

std::string shown(std::string_view text) {
  std::string result = "\"";
  std::size_t i = 0;
  while (i < text.size()) {
    const std::string_view character = text.substr(i, character_size(text[i]));
    if (i + character.size() > kShownBytesMax) break;
    i += character.size();
    if (is_utf8(character) && !is_control(character.front())) {
      result += character;
      continue;
    }
    i -= character.size() - 1;  // One byte at a time.
    result += fmt::format("\\x{:02x}", static_cast<unsigned char>(character.front()));
  }
  return result += i < text.size() ? "...\"" : "\"";
}

}  // namespace rfm
