// The named steps of a commit, told to whoever watches. The product watches with nobody; the crash
// tests' binary kills itself in here.
#pragma once

#include <cstdint>

namespace rfm {

enum class CommitStep : std::uint8_t {
  kProduced,     // All records are handed to the producer; offsets are not sent.
  kOffsetsSent,  // The broker has the offsets inside the open transaction.
  kCommitSent,   // Records are flushed; the request to end the transaction is sent right after this
                 // call.
  kCommitAcknowledged,  // The broker has said yes; the store knows nothing yet.
  kStoreWriting,        // Right before the store's write batch.
  kStoreWritten,        // Right after it.
};
inline constexpr int kCommitStepCount = 6;

class CommitObserver {
 public:
  CommitObserver() = default;
  CommitObserver(const CommitObserver&) = delete;
  CommitObserver& operator=(const CommitObserver&) = delete;
  virtual ~CommitObserver() = default;

  // Called on the lane's thread.
  virtual void on_step(CommitStep step) = 0;
};

}  // namespace rfm
