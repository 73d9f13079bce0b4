// Sixteen bytes of text at a time: where the bytes are that end the plain part of a JSON string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace rfm {

inline constexpr std::size_t kByteBlock = 16;

// Bit i stands for byte i of a block.
struct BlockBits {
  std::uint32_t special = 0;    // Quotes, backslashes and control characters.
  std::uint32_t non_ascii = 0;  // Bytes from 0x80 on.
};

// Of the block at `from`.
inline BlockBits block_bits(const char* from) {
#ifdef __SSE2__
  __m128i bytes;
  std::memcpy(&bytes, from, sizeof bytes);
  // Unsigned: a control character is the smaller of itself and the largest one.
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  const __m128i special = _mm_or_si128(control, _mm_or_si128(quote, backslash));
  return {static_cast<std::uint32_t>(_mm_movemask_epi8(special)),
          static_cast<std::uint32_t>(_mm_movemask_epi8(bytes))};
#else
  BlockBits bits;
  for (std::size_t i = 0; i < kByteBlock; ++i) {
    const auto byte = static_cast<unsigned char>(from[i]);
    const bool is_special = byte < 0x20 || byte == '"' || byte == '\\';
    bits.special |= static_cast<std::uint32_t>(is_special) << i;
    bits.non_ascii |= static_cast<std::uint32_t>(byte >> 7) << i;
  }
  return bits;
#endif
}

}  // namespace rfm
