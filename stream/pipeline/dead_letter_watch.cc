#include "stream/pipeline/dead_letter_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace rfm {
namespace {

// What kind of thing it is: what it says may be of a customer, and is nothing for a log.
std::string kind_of(std::string_view value) {
  const std::size_t first = value.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return "nothing";
  switch (value[first]) {
    case '{':
      return "a JSON object";
    case '[':
      return "a JSON array";
    case '<':
      return "XML";
    default:
      break;
  }
  const auto begin = value.substr(first, 2);
  if (std::ranges::all_of(begin, [](char c) { return c >= ' ' && c <= '~'; })) return "text";
  std::string bytes;
  for (const char c : begin) bytes += fmt::format(" {:02x}", static_cast<unsigned char>(c));
  return "the bytes" + bytes;
}

}  // namespace

void DeadLetterWatch::add(std::uint64_t dead_letters) {
  if (window_[next_]) --dead_letters_;
  window_[next_] = dead_letters > 0;
  if (window_[next_]) ++dead_letters_;
  next_ = (next_ + 1) % kWindowRecords;
  records_ = std::min(records_ + 1, kWindowRecords);
}

bool DeadLetterWatch::is_exceeded() const {
  return records_ == kWindowRecords &&
         static_cast<double>(dead_letters_) > share_max_ * static_cast<double>(kWindowRecords);
}

void DeadLetterWatch::clear() { *this = DeadLetterWatch(share_max_); }

std::string example_of(PartitionId partition, const RecordView& record,
                       const Rejection& rejection) {
  return fmt::format("partition {}, offset {}: {} ({}); {}", partition, record.offset,
                     name(rejection.reason), rejection.message,
                     record.value ? fmt::format("its value has {} bytes and begins like {}",
                                                record.value->size(), kind_of(*record.value))
                                  : "its value is null");
}

}  // namespace rfm
