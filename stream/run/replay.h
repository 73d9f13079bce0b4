// A bounded run of the pipeline: a file, standard input or a range of a topic in; files or nothing
// out.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/kafka/kafka_options.h"
#include "stream/pipeline/lane.h"

namespace rfm {

struct ReplayOptions {
  std::string input = "-";  // Path, "-", or "kafka:TOPIC".
  InputFormat format = InputFormat::kLines;
  std::string state_directory;
  std::string output_directory;  // Empty: nothing is written.
  // Follow a recorded model log (model.jsonl) instead of training; empty: train.
  std::string model_log;
  // Follow all that the application of `kafka` has recorded (stream/run/recording.h), as far as it
  // has read the topic.
  bool recorded = false;
  std::optional<EventTime> until;
  std::optional<EventTime> go_live;  // Absent: everything is actionable.
  // What a file's records carry; absent: the time of the first start.
  std::optional<std::int64_t> received_ms;
  LaneOptions lane;
  Rules rules;
  TrainingOptions training;
  DecoderOptions decoder;
  KafkaOptions kafka;                           // For "kafka:TOPIC".
  std::map<std::string, std::string> semantic;  // The settings behind the rules, for the model log.
  // Refuses rules of the model log that are not these.
  std::function<absl::Status(const std::map<std::string, std::string>& logged)> check_rules;
};

struct ReplayProgress {
  std::uint64_t records = 0;
  std::optional<double> fraction;  // Of the input's bytes, where known.
  EventTime event_time = kBeforeAll;
};

class Replay {
 public:
  // Restores what an earlier replay left in the state directory, truncates the output to it and
  // goes on from there.
  static absl::StatusOr<std::unique_ptr<Replay>> open(const ReplayOptions& options,
                                                      const Clock& clock);
  ~Replay();

  // Before `run`. Called with each transition as it is written, and with each contribution.
  void on_transition(std::function<void(const Transition&)> callback);
  void on_contribution(std::function<void(const Contribution&)> callback);

  // To the end of the input, then the clocks to `until` (default: the highest event time + lateness
  // + settle). `progress` is called about every tenth of a second, and may end the run early by
  // returning false: what is done is committed.
  absl::Status run(const std::function<bool(const ReplayProgress&)>& progress);

  const Lane& lane() const;
  const Rules& rules() const;
  // After `run`: the model log, by trained epoch.
  const std::vector<ModelVersion>& versions() const;

 private:
  class Implementation;
  explicit Replay(std::unique_ptr<Implementation> implementation);

  std::unique_ptr<Implementation> implementation_;
};

}  // namespace rfm
