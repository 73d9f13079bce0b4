// The one form of a JSON number.
#pragma once

namespace rfm {

// -?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)? at `next`: the place behind it, nullptr: there is none.
inline const char* skip_json_number(const char* next, const char* end) {
  const auto skip_digits = [end](const char* first) -> const char* {
    const char* last = first;
    while (last != end && *last >= '0' && *last <= '9') ++last;
    return last != first ? last : nullptr;
  };
  if (next != end && *next == '-') ++next;
  if (next == end) return nullptr;
  next = *next == '0' ? next + 1 : skip_digits(next);
  if (next != nullptr && next != end && *next == '.') next = skip_digits(next + 1);
  if (next == nullptr || next == end || (*next != 'e' && *next != 'E')) return next;
  ++next;
  if (next != end && (*next == '+' || *next == '-')) ++next;
  return skip_digits(next);
}

}  // namespace rfm
