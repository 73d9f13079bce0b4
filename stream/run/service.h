// The service on Kafka: lanes, trainer and state of one instance, from start to SIGTERM, through
// every failure that a restart of the pipeline mends. Start-up is recovery: whatever goes wrong,
// everything is dropped and rebuilt from the last commit.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "stream/kafka/kafka_options.h"
#include "stream/pipeline/lane.h"

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
  // Refuses rules of the model log that are not these.
  std::function<absl::Status(const std::map<std::string, std::string>& logged)> check_rules;
  CommitObserver* observer = nullptr;  // Tests only.
  std::function<bool()> should_stop;   // Asked several times a second; then commit and close.
  // Said now and then, for progress; may be empty.
  struct Status {
    OutcomeCounters counters;
    std::int64_t records_behind = 0;
    EventTime event_time = kBeforeAll;
    bool caught_up = false;  // All partitions of the input are owned, and each is at its end.
    int partitions_owned = 0;
    std::uint64_t commits = 0;
    std::uint64_t changelog_records = 0;
    std::uint64_t clock_jumps = 0;  // Of this machine's clock against the broker's.
  };
  std::function<void(const Status&)> on_status;
};

// Runs until `should_stop`. An error is one that a rebuild does not mend: wrong settings, foreign
// or damaged state, missing topics, or another process under this instance's name.
absl::Status run_service(const ServiceOptions& options, const Clock& clock);

}  // namespace rfm
