// Records that were read before it is known whether the input can be used at all. Copies, because a
// source's views end with its next read.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stream/record/record.h"

namespace rfm {

class HeldRecords {
 public:
  void add(const RecordView& record);
  std::size_t size() const { return copies_.size(); }
  // In order. Valid until the next `add` or `clear`.
  std::span<const RecordView> views();
  void clear();

 private:
  struct Copy {
    RecordView view;
    std::optional<std::string> key;
    std::optional<std::string> value;
    std::deque<std::string> header_texts;  // What `headers` shows.
    std::vector<RecordHeader> headers;
  };

  std::deque<Copy> copies_;  // At addresses that stay.
  std::vector<RecordView> views_;
};

}  // namespace rfm
