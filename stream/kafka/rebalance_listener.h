// Who owns the state of the partitions that a Kafka source reads. Seam: the service's lanes, and
// tests.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "stream/record/record.h"

namespace rfm {

// How partitions are taken away.
enum class Revocation : std::uint8_t {
  kOrderly,  // They are still ours during the call: commit.
  kLost,     // Somebody else may own them already: drop what is uncommitted.
};

// Called on the lane's thread inside the source's `service` or `close`, with all partitions of the
// lane (eager assignment).
class RebalanceListener {
 public:
  RebalanceListener() = default;
  RebalanceListener(const RebalanceListener&) = delete;
  RebalanceListener& operator=(const RebalanceListener&) = delete;
  virtual ~RebalanceListener() = default;

  // Restores the partitions' state and says where each goes on. Its error is `service`'s.
  virtual absl::StatusOr<std::vector<std::pair<PartitionId, Offset>>> on_assigned(
      const std::vector<PartitionId>& partitions) = 0;
  virtual void on_revoked(const std::vector<PartitionId>& partitions, Revocation how) = 0;
};

}  // namespace rfm
