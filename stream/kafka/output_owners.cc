#include "stream/kafka/output_owners.h"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <vector>

#include "stream/kafka/kafka_producer.h"
#include "stream/kafka/kafka_reader.h"
#include "stream/kafka/open_transactions.h"

namespace rfm {
namespace {

constexpr ProducerTopic kOwners{0};
constexpr PartitionId kPartition = 0;
constexpr int kTriesMax = 5;

using Owners = std::map<std::string, std::string>;

absl::StatusOr<std::vector<std::string>> wanted(const KafkaOptions& options, const Owners& owners,
                                                std::span<const std::string> topics,
                                                OutputClaim claim) {
  std::vector<std::string> result;
  for (const std::string& topic : topics) {
    const auto owner = owners.find(topic);
    if (owner != owners.end() && owner->second == options.application) continue;
    if (owner != owners.end() && claim == OutputClaim::kIfFree) {
      return absl::FailedPreconditionError(fmt::format(
          "the output topic {0} belongs to application {1}: with two in one its readers would see "
          "every customer twice.\n"
          "Give application {2} output.transitions and output.segments of its own; or, once {1} "
          "is stopped for good, let it take them over: `rfmstream run --take-outputs`. Readers "
          "then see each customer's chain begin anew, with ce_source /rfmstream/{2}.",
          topic, owner->second, options.application));
    }
    result.push_back(topic);
  }
  return result;
}

// kPermissionDenied: somebody else was at it at the same time; try again.
absl::Status try_to_claim(const KafkaOptions& options, std::span<const std::string> topics,
                          OutputClaim claim) {
  const std::array<std::string, 1> registry = {topic_names(options).output_owners};
  absl::StatusOr<std::unique_ptr<KafkaProducer>> producer =
      KafkaProducer::open(options, registry.front(), registry, nullptr, nullptr);
  if (!producer.ok()) return producer.status();
  const std::array<TopicPartition, 1> place = {{{registry.front(), kPartition}}};
  const absl::Status settled = wait_until_settled(options, place);
  if (!settled.ok()) return settled;
  const absl::StatusOr<Owners> owners = read_output_owners(options);
  if (!owners.ok()) return owners.status();
  const auto missing = wanted(options, *owners, topics, claim);
  if (!missing.ok()) return missing.status();
  for (const std::string& topic : *missing) {
    const absl::Status produced =
        (*producer)->produce(kOwners, kPartition, topic, options.application, {});
    if (!produced.ok()) return produced;
  }
  return (*producer)->commit("", {}, nullptr);
}

}  // namespace

absl::StatusOr<Owners> read_output_owners(const KafkaOptions& options) {
  absl::StatusOr<std::unique_ptr<KafkaReader>> reader = KafkaReader::open(options);
  if (!reader.ok()) return reader.status();
  Owners owners;
  const absl::StatusOr<Offset> read =
      (*reader)->read_to_end(topic_names(options).output_owners, kPartition, kFromBeginning,
                             [&owners](const RecordView& record) {
                               const std::string topic(record.key.value_or(""));
                               owners.erase(topic);
                               if (record.value) owners.emplace(topic, *record.value);
                               return absl::OkStatus();
                             });
  if (!read.ok()) return read.status();
  return owners;
}

absl::Status claim_outputs(const KafkaOptions& options, std::span<const std::string> topics,
                           OutputClaim claim) {
  const absl::StatusOr<Owners> owners = read_output_owners(options);
  if (!owners.ok()) return owners.status();
  const auto missing = wanted(options, *owners, topics, claim);
  if (!missing.ok()) return missing.status();
  if (missing->empty()) return absl::OkStatus();
  absl::Status status;
  for (int tries = 0; tries < kTriesMax; ++tries) {
    status = try_to_claim(options, *missing, claim);
    if (status.code() != absl::StatusCode::kPermissionDenied) return status;
  }
  return status;
}

}  // namespace rfm
