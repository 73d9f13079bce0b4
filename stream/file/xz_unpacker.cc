#include "stream/file/xz_unpacker.h"

#include <fmt/core.h>
#include <lzma.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>

#include "state/assertion.h"

namespace rfm {
namespace {

constexpr std::size_t kPackedBytes = std::size_t{64} << 10;  // Read at once.

}  // namespace

struct XzUnpacker::Stream {
  lzma_stream lzma = LZMA_STREAM_INIT;
};

XzUnpacker::XzUnpacker(int fd, std::string_view beginning)
    : fd_(fd),
      packed_(std::max(kPackedBytes, beginning.size())),
      stream_(std::make_unique<Stream>()) {
  std::ranges::copy(beginning, packed_.begin());
  lzma_stream& lzma = stream_->lzma;
  const lzma_ret ready =
      lzma_stream_decoder(&lzma, std::numeric_limits<std::uint64_t>::max(), LZMA_CONCATENATED);
  RFM_ASSERT(ready == LZMA_OK);
  lzma.next_in = reinterpret_cast<const std::uint8_t*>(packed_.data());
  lzma.avail_in = beginning.size();
}

XzUnpacker::~XzUnpacker() { lzma_end(&stream_->lzma); }

absl::StatusOr<std::size_t> XzUnpacker::read(std::span<char> to) {
  lzma_stream& lzma = stream_->lzma;
  lzma.next_out = reinterpret_cast<std::uint8_t*>(to.data());
  lzma.avail_out = to.size();
  lzma_action action = LZMA_RUN;
  while (lzma.avail_out == to.size()) {
    if (lzma.avail_in == 0) {
      const ssize_t count = ::read(fd_, packed_.data(), packed_.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return absl::UnavailableError(std::strerror(errno));
      lzma.next_in = reinterpret_cast<const std::uint8_t*>(packed_.data());
      lzma.avail_in = static_cast<std::size_t>(count);
      if (count == 0) action = LZMA_FINISH;
    }
    const lzma_ret result = lzma_code(&lzma, action);
    if (result == LZMA_STREAM_END) break;
    if (result == LZMA_BUF_ERROR) return absl::DataLossError("its xz data end early");
    if (result != LZMA_OK)
      return absl::DataLossError(fmt::format("its xz data are broken (code {})", int{result}));
  }
  return to.size() - lzma.avail_out;
}

}  // namespace rfm
