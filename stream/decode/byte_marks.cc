#include "stream/decode/byte_marks.h"

#include <cstddef>

namespace rfm {

std::string_view other_encoding(std::string_view value) {
  using std::string_view_literals::operator""sv;
  constexpr std::size_t kSchemaPrefixBytes = 5;
  if (value.starts_with("\0"sv) && value.size() > kSchemaPrefixBytes)
    return "0x00 and a schema id, as a schema registry's serializer writes them: use a plain JSON "
           "serializer";
  if (value.starts_with("\xff\xfe") || value.starts_with("\xfe\xff"))
    return "a UTF-16 byte-order mark: write UTF-8";
  if (value.starts_with("\xef\xbb\xbf")) return "a UTF-8 byte-order mark: leave it out";
  if (value.starts_with("\x1f\x8b"))
    return "the mark of gzip: let the producer's client compress, not the application";
  return {};
}

}  // namespace rfm
