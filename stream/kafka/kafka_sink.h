// A lane's output as topics, in transactions that carry the lane's input offsets.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/kafka/kafka_options.h"
#include "stream/kafka/kafka_producer.h"
#include "stream/record/broker_time.h"
#include "stream/record/commit_observer.h"
#include "stream/record/output_sink.h"

namespace rfm {

class KafkaSink final : public OutputSink {
 public:
  // Settles the lane's leftover transaction. `membership` is the source's and outlives the sink;
  // null: positions are not committed to a group (replay). `observer` and `time` may be null;
  // `time` outlives the sink and is told what the brokers' clocks say.
  static absl::StatusOr<std::unique_ptr<KafkaSink>> open(const KafkaOptions& options,
                                                         const GroupMembership* membership,
                                                         CommitObserver* observer,
                                                         BrokerTime* time);

  // Has `time` told what the broker of the ticks says now. Nothing may be appended and not
  // committed. kFailedPrecondition, with what to do: the ticks carry this machine's time.
  absl::Status probe_time();

  bool keeps(OutputTopic topic) const override;
  absl::Status append(OutputTopic topic, std::optional<PartitionId> partition,
                      std::optional<std::string_view> key, std::optional<std::string_view> value,
                      std::span<const Header> headers) override;
  absl::StatusOr<CommitReceipt> commit(const CommitRequest& request) override;
  void abandon() noexcept override;

 private:
  KafkaSink(const KafkaOptions& options, const GroupMembership* membership,
            std::unique_ptr<KafkaProducer> producer);

  std::string input_topic_;
  const GroupMembership* membership_ = nullptr;
  std::unique_ptr<KafkaProducer> producer_;
};

}  // namespace rfm
