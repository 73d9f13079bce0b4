// What a replay is asked for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "stream/kafka/kafka_options.h"
#include "stream/pipeline/lane.h"
#include "stream/run/rules_reader.h"

namespace rfm {

// How a topic is named as an input.
inline constexpr std::string_view kKafkaScheme = "kafka:";

struct ReplayOptions {
  std::string input = "-";        // Path, "-", or "kafka:TOPIC".
  std::string input_beginning{};  // What was read of "-" already.
  InputFormat format = InputFormat::kLines;
  std::string state_directory;
  // Whether another replay may go on from the state.
  bool keeps_state = true;
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
  RefitSchedule schedule;
  DecoderOptions decoder;
  KafkaOptions kafka;                           // For "kafka:TOPIC".
  std::map<std::string, std::string> semantic;  // The settings behind the rules, for the model log.
  RulesReader* rules_reader = nullptr;          // Outlives the replay.
};

}  // namespace rfm
