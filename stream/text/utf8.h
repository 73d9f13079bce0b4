// Text from outside, which may not be text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rfm {

bool is_utf8(std::string_view text);

// How the bytes of a text are to be read. In the one-byte encodings every text is valid.
enum class TextEncoding : std::uint8_t { kUtf8, kCp1252, kLatin1 };
// The most bytes that one byte becomes.
inline constexpr std::size_t kUtf8BytesPerByte = 3;
// Writes `text` as UTF-8 to `out`, which has room for kUtf8BytesPerByte times its size; UTF-8 as it
// is. Returns the count of bytes.
std::size_t to_utf8(std::string_view text, TextEncoding encoding, char* out);

// Without spaces, tabs and no-break spaces around it.
std::string_view trimmed(std::string_view text);

// Each byte that is part of no character becomes U+FFFD.
std::string with_replacements(std::string_view text);

// `text` between quotes, for a message: at most 40 bytes of it, control characters and whatever is
// not UTF-8 as \xNN.
std::string shown(std::string_view text);

}  // namespace rfm
