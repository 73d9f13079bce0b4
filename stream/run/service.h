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
#include "stream/pipeline/lane.h"
#include "stream/run/service_host.h"

namespace rfm {

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
  // With an operator's consent a changelog that is lost is written anew from the state.
  bool rewrite_changelog = false;
  // What to do about output topics of another application.
  OutputClaim outputs = OutputClaim::kIfFree;
  CommitObserver* observer = nullptr;  // Tests only.
};

// Runs until the host's `should_stop`, through every failure that beginning again from the last
// commit mends (stream/run/reaction.h). An error is one that it does not: wrong settings, foreign
// or damaged state, missing topics, another process under this instance's name, another instance;
// or the last commit at a stop did not come about, and what was not committed is read again.
absl::Status run_service(const ServiceOptions& options, ServiceHost& host, const Clock& clock);

}  // namespace rfm
