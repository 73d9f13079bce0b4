// Writes JSON (RFC 8259) straight into a text buffer. A library's writer
// (RapidJSON's), which puts one character at a time, took a third of the time of a transition.
#pragma once

#include <fmt/compile.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "stream/text/number_text.h"
#include "stream/text/text_buffer.h"

namespace rfm {

// Appends `text`, which is UTF-8, as a JSON string: quotes, backslashes and control characters are
// escaped, all else stays as it is.
void append_json_string(TextBuffer& out, std::string_view text);

// JSON values, one after the other, with the commas between members and elements. That begins and
// ends match, and that members have keys, is the caller's to see to.
class JsonText {
 public:
  explicit JsonText(TextBuffer& out) : out_(out) {}

  // `name` needs no escapes.
  JsonText& key(std::string_view name) {
    char* const at = out_.room(name.size() + 4);
    std::size_t size = 0;
    if (comma_) at[size++] = ',';
    at[size++] = '"';
    size += name.copy(at + size, name.size());
    at[size++] = '"';
    at[size++] = ':';
    out_.added(size);
    comma_ = false;
    return *this;
  }
  // The same for any UTF-8.
  JsonText& name(std::string_view name) {
    separate();
    append_json_string(out_, name);
    out_.append(':');
    comma_ = false;
    return *this;
  }
  void text(std::string_view value) {
    separate();
    append_json_string(out_, value);
  }
  void integer(std::int64_t value) {
    separate();
    char* const at = out_.room(20);
    out_.added(static_cast<std::size_t>(fmt::format_to(at, FMT_COMPILE("{}"), value) - at));
  }
  // `value` and `digits` as in NumberText.
  void fixed(double value, int digits) { raw(NumberText(value, digits).view()); }
  void boolean(bool value) { raw(value ? "true" : "false"); }
  // Any JSON value, as it is.
  void raw(std::string_view json) {
    separate();
    out_.append(json);
  }
  void begin_object() { begin('{'); }
  void end_object() { end('}'); }
  void begin_array() { begin('['); }
  void end_array() { end(']'); }

 private:
  void separate() {
    if (comma_) out_.append(',');
    comma_ = true;
  }
  void begin(char bracket) {
    separate();
    out_.append(bracket);
    comma_ = false;
  }
  void end(char bracket) {
    out_.append(bracket);
    comma_ = true;
  }

  TextBuffer& out_;
  bool comma_ = false;  // What comes next follows another value.
};

}  // namespace rfm
