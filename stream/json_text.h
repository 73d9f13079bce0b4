// Writes JSON straight into a string (RapidJSON). Numbers with a fixed count of digits, so that
// equal values have equal bytes.
#pragma once

#include <fmt/compile.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace rfm {

// RapidJSON's output stream over a std::string. The string is longer than what is written until the
// outermost value ends.
class StringStream {
 public:
  using Ch = char;
  explicit StringStream(std::string& out) : out_(out), used_(out.size()) {}
  void reserve(std::size_t count) {
    if (out_.size() - used_ < count) out_.resize(2 * out_.size() + count + 512);
  }
  void put_reserved(char c) { out_[used_++] = c; }
  void Put(char c) {
    reserve(1);
    put_reserved(c);
  }
  void Flush() { out_.resize(used_); }

 private:
  std::string& out_;
  std::size_t used_;
};

}  // namespace rfm

namespace rapidjson {

template <>
inline void PutReserve(rfm::StringStream& stream, std::size_t count) {
  stream.reserve(count);
}
template <>
inline void PutUnsafe(rfm::StringStream& stream, char c) {
  stream.put_reserved(c);
}

}  // namespace rapidjson

namespace rfm {

// One JSON value; `out` is complete when its outermost object or array is.
class JsonText {
 public:
  explicit JsonText(std::string& out) : stream_(out), writer_(stream_) {}

  JsonText& key(std::string_view name) {
    writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
    return *this;
  }
  void text(std::string_view value) {
    writer_.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  }
  void integer(std::int64_t value) { writer_.Int64(value); }
  void boolean(bool value) { writer_.Bool(value); }
  void null() { writer_.Null(); }
  // `value` >= 0 and far below 2^53 / 10^digits; rounded to the nearest, halves up.
  void fixed(double value, int digits) {
    std::int64_t scale = 1;
    for (int i = 0; i < digits; ++i) scale *= 10;
    const auto scaled = static_cast<std::int64_t>(value * static_cast<double>(scale) + .5);
    std::array<char, 40> text{};
    char* const point = fmt::format_to(text.data(), FMT_COMPILE("{}"), scaled / scale);
    *point = '.';
    std::int64_t fraction = scaled % scale;
    for (char* digit = point + digits; digit > point; --digit, fraction /= 10) {
      *digit = static_cast<char>('0' + fraction % 10);
    }
    writer_.RawValue(text.data(), static_cast<std::size_t>(point + digits + 1 - text.data()),
                     rapidjson::kNumberType);
  }
  void begin_object() { writer_.StartObject(); }
  void end_object() { writer_.EndObject(); }
  void begin_array() { writer_.StartArray(); }
  void end_array() { writer_.EndArray(); }

 private:
  StringStream stream_;
  rapidjson::Writer<StringStream> writer_;
};

}  // namespace rfm
