// What stands packed in an xz file, as it was before.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace rfm {

class XzUnpacker {
 public:
  // Of a file that begins so.
  static constexpr std::string_view kMagic{
      "\xfd"
      "7zXZ"};

  // `beginning`: what was read of `fd` already. `fd` outlives it.
  XzUnpacker(int fd, std::string_view beginning);
  ~XzUnpacker();
  XzUnpacker(const XzUnpacker&) = delete;
  XzUnpacker& operator=(const XzUnpacker&) = delete;

  // How many bytes of `to`, which is not empty, are filled; 0: that was all. DataLoss: the file is
  // broken or ends early; Unavailable: it cannot be read.
  absl::StatusOr<std::size_t> read(std::span<char> to);

 private:
  struct Stream;

  int fd_;
  std::vector<char> packed_;
  std::unique_ptr<Stream> stream_;
};

}  // namespace rfm
