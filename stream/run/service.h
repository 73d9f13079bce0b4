// The service on Kafka: lanes, trainer and state of one instance, from start to SIGTERM, through
// every failure that a restart of the pipeline mends. Start-up is recovery: whatever goes wrong,
// everything is dropped and rebuilt from the last commit.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "stream/kafka/kafka_options.h"
#include "stream/kafka/output_owners.h"
#include "stream/kafka/stop_limit.h"
#include "stream/pipeline/lane.h"

namespace rfm {

// Said now and then, for progress.
struct ServiceStatus {
  OutcomeCounters counters;   // Of all that the partitions owned have ever read.
  std::uint64_t records = 0;  // Read by this process since the state was restored.
  // Records (and markers) of the partitions owned that are not applied; those that wait for a model
  // version are.
  std::int64_t records_behind = 0;
  EventTime event_time = kBeforeAll;
  bool caught_up = false;  // All partitions of the input are owned, and each is at its end.
  int partitions_owned = 0;
  std::uint64_t commits = 0;
  std::uint64_t changelog_records = 0;
  std::uint64_t clock_jumps = 0;  // Of this machine's clock against the broker's.
};

// The process that the service runs in. Seam: the command, fakes in tests.
class ServiceHost {
 public:
  ServiceHost() = default;
  ServiceHost(const ServiceHost&) = delete;
  ServiceHost& operator=(const ServiceHost&) = delete;
  virtual ~ServiceHost() = default;

  // Refuses rules of the model log that are not the ones this process was started with.
  virtual absl::Status check_rules(const std::map<std::string, std::string>& logged) = 0;
  // Asked several times a second, on a thread of its own; then commit and close.
  virtual bool should_stop() = 0;
  virtual void on_status(const ServiceStatus& status) = 0;
};

struct ServiceOptions {
  int lanes = 1;
  std::string state_directory;
  LaneOptions lane;
  Rules rules;
  TrainingOptions training;
  DecoderOptions decoder;
  std::vector<KafkaOptions> kafka;              // One a lane.
  std::map<std::string, std::string> semantic;  // The settings behind the rules, for the model log.
  // Where a partition of the input whose records are gone goes on, with an operator's consent.
  std::map<PartitionId, Offset> accepted_losses;
  // What to do about output topics of another application.
  OutputClaim outputs = OutputClaim::kIfFree;
  CommitObserver* observer = nullptr;  // Tests only.
};

// Once it is to stop, the last commit and the close may take this long; what waits for a broker
// then gives up.
inline constexpr std::chrono::milliseconds kStopGrace{5'000};

// Runs until the host's `should_stop`, through every failure that beginning again from the last
// commit mends (stream/run/reaction.h). An error is one that it does not: wrong settings, foreign
// or damaged state, missing topics, another process under this instance's name, another instance;
// or the last commit at a stop did not come about, and what was not committed is read again.
absl::Status run_service(const ServiceOptions& options, ServiceHost& host, const Clock& clock);

}  // namespace rfm
