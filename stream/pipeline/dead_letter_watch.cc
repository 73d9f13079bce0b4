#include "stream/pipeline/dead_letter_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace rfm {
namespace {

constexpr std::size_t kShownBytesMax = 80;

std::string start_of(std::string_view value) {
  std::string text;
  for (const char c : value.substr(0, kShownBytesMax)) {
    const bool printable = c >= ' ' && c <= '~';
    text += printable ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return value.size() > kShownBytesMax ? text + "..." : text;
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
  return fmt::format(
      "partition {}, offset {}: {} ({}); {}", partition, record.offset, name(rejection.reason),
      rejection.message,
      record.value ? "its value begins " + start_of(*record.value) : "its value is null");
}

}  // namespace rfm
