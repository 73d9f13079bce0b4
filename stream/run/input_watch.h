// Looks at the input topic every few seconds while the service runs: librdkafka tells its consumers
// neither that their topic was deleted nor that it has more partitions.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string_view>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/kafka/kafka_options.h"

namespace rfm {

// One look. OK: the topic has `partition_count` partitions, or no broker answers, which others say.
// kNotFound: it is gone. kFailedPrecondition: `partitions_changed`.
absl::Status look_at_input(const KafkaOptions& options, int partition_count);

// Says that the input is gone, now and again, until it is there again (true) or the process is to
// stop (`options.stop` is there).
bool await_input(const KafkaOptions& options, std::string_view why);

class InputWatch {
 public:
  InputWatch(KafkaOptions options, int partition_count);
  InputWatch(const InputWatch&) = delete;
  InputWatch& operator=(const InputWatch&) = delete;
  ~InputWatch();

  // The first look that was not OK; nothing is looked at after it.
  absl::Status status() const;

 private:
  void run();

  KafkaOptions options_;
  int partition_count_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  absl::Status status_;
  std::thread thread_;
};

}  // namespace rfm
