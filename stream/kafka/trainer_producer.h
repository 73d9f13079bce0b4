// The only writer of the model log: transactional id `<app>-trainer`, so that a second trainer
// fences the first.
#pragma once

#include <memory>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/format/model_log.h"
#include "stream/kafka/kafka_options.h"
#include "stream/kafka/kafka_producer.h"

namespace rfm {

class TrainerProducer {
 public:
  static absl::StatusOr<TrainerProducer> open(const KafkaOptions& options);

  // One transaction: all of `records` or none. kAborted: none, try again. kPermissionDenied:
  // another trainer has taken over. Others: unknown, read the log before publishing again.
  absl::Status publish(std::span<const ModelLogRecord> records);

 private:
  explicit TrainerProducer(std::unique_ptr<KafkaProducer> producer)
      : producer_(std::move(producer)) {}

  std::unique_ptr<KafkaProducer> producer_;
};

}  // namespace rfm
