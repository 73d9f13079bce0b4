// A real single-node Kafka for a test process, started through docker/kafka/broker on free ports.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rfm {

class KafkaBroker {
 public:
  static absl::StatusOr<std::unique_ptr<KafkaBroker>> start();
  KafkaBroker(const KafkaBroker&) = delete;
  KafkaBroker& operator=(const KafkaBroker&) = delete;
  ~KafkaBroker();  // Ends it and removes its data.

  const std::string& endpoint() const { return endpoint_; }  // host:port

  absl::Status kill();     // As kill -9 does.
  absl::Status restart();  // Same port, same data; returns when it answers.

 private:
  explicit KafkaBroker(std::filesystem::path directory);

  std::filesystem::path directory_;
  std::string endpoint_;
};

// The one broker of this test process: started at the first call, ended with the process.
KafkaBroker& shared_kafka_broker();

}  // namespace rfm
