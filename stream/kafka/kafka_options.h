// Where Kafka is and under which names one lane of one instance works there.
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "stream/record/stop_limit.h"

namespace rfm {

struct KafkaOptions {
  std::string brokers = "localhost:9092";
  std::string application =
      "rfmstream";             // Names the group and every topic and transaction of its own.
  std::string instance = "0";  // Stable over restarts, unique within the application.
  int lane = 0;
  std::string input_topic = "invoices";
  std::string transitions_topic = "segment-transitions";
  std::string segments_topic = "customer-segments";
  std::chrono::milliseconds session_timeout{10'000};
  std::chrono::milliseconds transaction_timeout{10'000};
  // Every call that waits for a broker gives up after this.
  std::chrono::milliseconds request_timeout{30'000};
  // Cuts the calls that settle, commit, restore and close short; outlives all that is opened with
  // these options. Null: nobody stops.
  const StopLimit* stop = nullptr;
  // Further librdkafka properties (security and the like), for all handles. Those that exactly-once
  // rests on are refused.
  std::map<std::string, std::string> properties;

  // For questions that are not worth the usual wait.
  KafkaOptions with_timeout(std::chrono::milliseconds timeout) const {
    KafkaOptions options = *this;
    options.request_timeout = timeout;
    return options;
  }
};

// The topics of one application.
struct KafkaTopicNames {
  std::string input;
  std::string transitions;
  std::string segments;
  std::string dead_letters;
  std::string receipts;
  std::string changelog;
  std::string ticks;
  std::string contributions;
  std::string model;
  std::string requests;
  std::string idle;
  std::string output_owners;  // Shared by the applications of a cluster.
};
KafkaTopicNames topic_names(const KafkaOptions& options);

// `<app>-<instance>-<lane>`: the lane's group.instance.id and transactional.id.
std::string lane_name(const KafkaOptions& options);

// kInvalidArgument when a name is empty or not one Kafka takes, or a property is one that rfmstream
// sets itself.
absl::Status validate(const KafkaOptions& options);

}  // namespace rfm
