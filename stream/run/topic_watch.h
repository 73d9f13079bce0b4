// Looks at the application's topics every few seconds while the service runs: librdkafka tells
// neither that a topic was deleted nor that it has more partitions.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/kafka/kafka_options.h"

namespace rfm {

// One look. OK: all topics are there, the input with `partition_count` partitions, or no broker
// answers, which others say. kNotFound: one is gone. kFailedPrecondition: `partitions_changed`.
absl::Status look_at_topics(const KafkaOptions& options, int partition_count);

// Says `why` it waits, now and again, until a broker answers that no topic is gone (true) or the
// process is to stop (`options.stop` is there). `on_look` is told after each look whether a broker
// has answered it.
bool await_topics(const KafkaOptions& options, std::string_view why,
                  const std::function<void(bool answered)>& on_look);

class TopicWatch {
 public:
  // `on_look` is called after each look that a broker has answered and that was OK, on the watch's
  // thread.
  TopicWatch(KafkaOptions options, int partition_count, std::function<void()> on_look);
  TopicWatch(const TopicWatch&) = delete;
  TopicWatch& operator=(const TopicWatch&) = delete;
  ~TopicWatch();

  // The first look that was not OK; nothing is looked at after it.
  absl::Status status() const;
  // Some broker answered the last look.
  bool broker_answers() const;

 private:
  void run();

  KafkaOptions options_;
  int partition_count_ = 0;
  std::function<void()> on_look_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  absl::Status status_;
  bool broker_answers_ = true;
  std::thread thread_;
};

}  // namespace rfm
