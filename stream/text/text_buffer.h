// Text under construction. Unlike std::string it hands out room that is not cleared first, and its
// appending is inlined: output is written in many small pieces.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace rfm {

class TextBuffer {
 public:
  std::string_view view() const { return {bytes_.get(), size_}; }
  std::size_t size() const { return size_; }
  void clear() { size_ = 0; }

  // Where up to `count` characters may be put; `added` then says how many were.
  char* room(std::size_t count) {
    if (capacity_ - size_ < count) grow(count);
    return bytes_.get() + size_;
  }
  void added(std::size_t count) { size_ += count; }

  void append(std::string_view text) { size_ += text.copy(room(text.size()), text.size()); }
  void append(char c) {
    *room(1) = c;
    ++size_;
  }

 private:
  [[gnu::noinline]] void grow(std::size_t count) {
    constexpr std::size_t kCapacityMin = 4'096;
    capacity_ = std::max({2 * capacity_, size_ + count, kCapacityMin});
    auto larger = std::make_unique_for_overwrite<char[]>(capacity_);
    if (size_ > 0) std::memcpy(larger.get(), bytes_.get(), size_);
    bytes_ = std::move(larger);
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace rfm
