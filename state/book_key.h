// The beginning of a book's key: what kind of cell it is, then a day or a month, the highest byte
// first, so that the cells of a kind are stored in order of time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rfm {

inline constexpr std::size_t kNumberedSize = 5;

inline void start_key(std::string& key, char kind, std::int64_t number) {
  const auto n = static_cast<std::uint32_t>(number);
  key.assign({kind, static_cast<char>(n >> 24), static_cast<char>(n >> 16),
              static_cast<char>(n >> 8), static_cast<char>(n)});
}

// Of a key of at least kNumberedSize bytes.
inline std::int64_t number_of(std::string_view key) {
  std::uint32_t number = 0;
  for (std::size_t i = 1; i < kNumberedSize; ++i)
    number = number << 8 | static_cast<unsigned char>(key[i]);
  return number;
}

}  // namespace rfm
