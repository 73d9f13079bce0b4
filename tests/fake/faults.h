// Which call to which seam of the product fails. The fakes ask at every call.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>

#include "absl/status/status.h"

namespace rfm {

enum class Seam : std::uint8_t {
  kRead,       // EventSource::read
  kService,    // EventSource::service
  kAppend,     // OutputSink::append
  kCommit,     // OutputSink::commit
  kScan,       // StateStore::scan
  kFind,       // StateStore::find
  kWrite,      // StateStore::write
  kPublish,    // ModelLogWriter::publish
  kChangelog,  // One record of the changelog, at a restore.
};
inline constexpr std::size_t kSeamCount = 9;

enum class FaultKind : std::uint8_t {
  kBefore,  // The call does nothing.
  kAfter,   // It does all, and says that it failed.
};

// Any thread.
class Faults {
 public:
  // The call `n` calls from now (0: the next) fails, once.
  void fail_at(Seam seam, FaultKind kind, std::uint64_t n) {
    const std::scoped_lock lock(mutex_);
    planned_ = {.seam = seam, .kind = kind, .call = calls_of(seam) + n};
    struck_ = false;
  }
  // No call fails any more.
  void end() {
    const std::scoped_lock lock(mutex_);
    planned_.reset();
  }
  // It has failed.
  bool struck() const {
    const std::scoped_lock lock(mutex_);
    return struck_;
  }

  // For the fakes, once a call: how it fails, if it does.
  std::optional<FaultKind> next(Seam seam) {
    const std::scoped_lock lock(mutex_);
    const std::uint64_t call = calls_of(seam)++;
    if (!planned_ || planned_->seam != seam || planned_->call != call) return std::nullopt;
    struck_ = true;
    return planned_->kind;
  }

 private:
  struct Planned {
    Seam seam{};
    FaultKind kind{};
    std::uint64_t call = 0;
  };

  std::uint64_t& calls_of(Seam seam) { return calls_[static_cast<std::size_t>(seam)]; }

  mutable std::mutex mutex_;
  std::array<std::uint64_t, kSeamCount> calls_{};
  std::optional<Planned> planned_;
  bool struck_ = false;
};

}  // namespace rfm
