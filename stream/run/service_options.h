// What the service is asked for.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "stream/kafka/kafka_options.h"
#include "stream/kafka/output_owners.h"
#include "stream/pipeline/lane.h"

namespace rfm {

struct ServiceOptions {
  int lanes = 1;
  std::string state_directory;
  LaneOptions lane;
  RefitSchedule schedule;
  DecoderOptions decoder;
  std::vector<KafkaOptions> kafka;              // One a lane.
  std::map<std::string, std::string> semantic;  // The settings behind the rules, for the model log.
  // Where a partition of the input whose records are gone goes on, with an operator's consent.
  std::map<PartitionId, Offset> accepted_losses;
  // With an operator's consent a changelog that is lost is written anew from the state.
  bool rewrite_changelog = false;
  // What to do about output topics of another application.
  OutputClaim outputs = OutputClaim::kIfFree;
  // One a lane, for whoever asks of its customers; none: nobody does. They outlive the service.
  std::vector<QueryDesk*> queries;
  CommitObserver* observer = nullptr;  // Tests only.
};

}  // namespace rfm
