#include "stream/text/utf8.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <array>
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

std::size_t to_utf8(std::string_view text, TextEncoding encoding, char* out) {
  // Of the bytes 0x80 to 0x9f in cp1252; the five that it leaves open are the control characters
  // of Latin-1, as browsers have them.
  static constexpr std::array<char16_t, 32> kCp1252 = {
      0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,  0x2030, 0x160,
      0x2039, 0x152,  0x8d,   0x17d,  0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
      0x2013, 0x2014, 0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178};
  if (encoding == TextEncoding::kUtf8) return text.copy(out, text.size());
  char* to = out;
  for (const char c : text) {
    unsigned code = static_cast<unsigned char>(c);
    if (encoding == TextEncoding::kCp1252 && code >= 0x80 && code < 0xa0)
      code = kCp1252[code - 0x80];
    if (code < 0x80) {
      *to++ = c;
      continue;
    }
    if (code < 0x800) {
      *to++ = static_cast<char>(0xc0 | code >> 6);
    } else {
      *to++ = static_cast<char>(0xe0 | code >> 12);
      *to++ = static_cast<char>(0x80 | (code >> 6 & 0x3f));
    }
    *to++ = static_cast<char>(0x80 | (code & 0x3f));
  }
  return static_cast<std::size_t>(to - out);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kNoBreakSpace = "\xc2\xa0";
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  for (;;) {
    const std::size_t size = text.size();
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    if (text.starts_with(kNoBreakSpace)) text.remove_prefix(kNoBreakSpace.size());
    if (text.ends_with(kNoBreakSpace)) text.remove_suffix(kNoBreakSpace.size());
    if (text.size() == size) return text;
  }
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
