// The rules of a running application: those that its model log holds, and what is asked for; other
// requests go to the trainer as they are.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/format/model_log.h"
#include "stream/kafka/kafka_options.h"
#include "stream/pipeline/trainer.h"
#include "stream/run/requests.h"
#include "stream/run/rules_reader.h"
#include "stream/run/service_host.h"

namespace rfm {

// Of an application that begins: what is in the input by now is not actionable.
absl::StatusOr<RulesRecord> first_rules_record(const KafkaOptions& options,
                                               const std::map<std::string, std::string>& settings,
                                               std::int64_t first_start_ms);

class LiveRules {
 public:
  // `host` outlives it, and is told of the newest. `records`: those of the log, at least one.
  LiveRules(const KafkaOptions& options, ServiceHost& host, std::vector<RulesRecord> records);

  // Whether the process was started with the newest rules, with those that it is asked to take up,
  // or, which it warns of, with earlier ones that these follow. The newest hold in any case.
  absl::Status check_started() const;
  // What the log holds; before what follows.
  absl::Status read();

  // As they were logged; from the first `take_requests` on the calling thread's.
  const RulesHistory& history() const { return history_; }

  // What has been asked since the last call goes to the trainer, or is refused with a line.
  void take_requests(Trainer& trainer);

 private:
  void take(const RulesRequest& request, Trainer& trainer);

  KafkaOptions options_;
  ServiceHost& host_;
  RequestListener listener_;
  std::vector<RulesRecord> records_;
  RulesHistory history_;
};

}  // namespace rfm
