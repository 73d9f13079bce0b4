// The only writer of the model log: transactional id `<app>-trainer`, so that a second trainer
// fences the first.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/format/model_log_writer.h"
#include "stream/kafka/kafka_options.h"
#include "stream/kafka/kafka_producer.h"

namespace rfm {

class TrainerProducer final : public ModelLogWriter {
 public:
  static absl::StatusOr<std::unique_ptr<TrainerProducer>> open(const KafkaOptions& options);

  // In one transaction. Called by the trainer's thread, and by lanes that log losses.
  absl::Status publish(std::span<const ModelLogRecord> records) override;

 private:
  explicit TrainerProducer(std::unique_ptr<KafkaProducer> producer)
      : producer_(std::move(producer)) {}

  std::mutex publishing_;  // One transaction at a time.
  std::unique_ptr<KafkaProducer> producer_;
};

}  // namespace rfm
