#include "stream/run/start_check.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string>

#include "stream/decode/decoder.h"
#include "stream/run/sole_instance.h"
#include "stream/run/topic_check.h"

namespace rfm {
namespace {

absl::Status check_accepted_losses(const ServiceOptions& options, int partition_count) {
  for (const auto& [partition, offset] : options.accepted_losses) {
    if (partition < partition_count) continue;
    return absl::InvalidArgumentError(fmt::format(
        "--accept-loss {}:{}: there is no such partition; the input {} has {}, from 0 to {}",
        partition, offset, options.kafka.front().input_topic, partition_count,
        partition_count - 1));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<int> check_start(const ServiceOptions& options, TopicScrutiny scrutiny) {
  const KafkaOptions& kafka = options.kafka.front();
  const absl::StatusOr<int> partition_count =
      scrutiny == TopicScrutiny::kCounts
          ? find_topics(kafka)
          : check_topics(kafka, static_cast<std::int64_t>(options.decoder.record_bytes_max));
  if (!partition_count.ok()) return partition_count;
  const KafkaTopicNames names = topic_names(kafka);
  const std::array<std::string, 2> outputs = {names.transitions, names.segments};
  absl::Status status = check_accepted_losses(options, *partition_count);
  if (status.ok()) status = Decoder::check_partitions(options.decoder, *partition_count);
  if (status.ok()) status = check_sole_instance(kafka);
  if (status.ok()) status = claim_outputs(kafka, outputs, options.outputs);
  if (!status.ok()) return status;
  return partition_count;
}

}  // namespace rfm
