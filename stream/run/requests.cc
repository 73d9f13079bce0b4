#include "stream/run/requests.h"

#include <spdlog/spdlog.h>

#include <array>
#include <string>
#include <utility>

#include "stream/kafka/kafka_producer.h"
#include "stream/kafka/open_transactions.h"

namespace rfm {
namespace {

constexpr ProducerTopic kRequests{0};
constexpr PartitionId kPartition = 0;

}  // namespace

absl::Status send_request(const KafkaOptions& options, const Request& request) {
  const std::array<std::string, 1> topics = {topic_names(options).requests};
  absl::StatusOr<std::unique_ptr<KafkaProducer>> producer =
      KafkaProducer::open(options, topics.front(), topics, nullptr, nullptr);
  if (!producer.ok()) return producer.status();
  const auto [key, value] = encode_request(request);
  const absl::Status produced = (*producer)->produce(kRequests, kPartition, key, value, {});
  return produced.ok() ? (*producer)->commit("", {}, nullptr) : produced;
}

absl::Status RequestListener::listen(absl::FunctionRef<void(const Request&)> on_request) {
  if (reader_ == nullptr) {
    absl::StatusOr<std::unique_ptr<KafkaReader>> reader = KafkaReader::open(options_);
    if (!reader.ok()) return reader.status();
    reader_ = *std::move(reader);
  }
  const absl::StatusOr<Offset> read = reader_->read_to_end(
      topic_names(options_).requests, kPartition, next_, [&](const RecordView& record) {
        if (!record.key || !record.value) return absl::OkStatus();
        const absl::StatusOr<Request> request = decode_request(*record.key, *record.value);
        if (request.ok()) {
          on_request(*request);
        } else {
          spdlog::warn("passed over: {}", std::string(request.status().message()));
        }
        return absl::OkStatus();
      });
  if (read.ok()) {
    next_ = *read;
  } else {
    reader_.reset();
    if (absl::IsOutOfRange(read.status())) next_ = kFromBeginning;  // Made anew.
  }
  return read.status();
}

}  // namespace rfm
