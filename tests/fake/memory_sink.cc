#include "tests/fake/memory_sink.h"

namespace rfm {
namespace {

std::optional<std::string> owned(std::optional<std::string_view> text) {
  return text ? std::optional(std::string(*text)) : std::nullopt;
}

}  // namespace

std::string OutputRecord::header(std::string_view name) const {
  for (const auto& header : headers) {
    if (header.first == name) return header.second;
  }
  return {};
}

absl::Status MemoryTopics::publish(std::span<const ModelLogRecord> versions) {
  const std::optional<FaultKind> fault = faults.next(Seam::kPublish);
  if (fault == FaultKind::kBefore) return absl::AbortedError("the versions are not logged");
  const std::scoped_lock lock(mutex);
  model_log.insert(model_log.end(), versions.begin(), versions.end());
  return fault ? absl::UnavailableError("no answer to the versions") : absl::OkStatus();
}

std::vector<OutputRecord> MemoryTopics::of(OutputTopic topic) const {
  std::vector<OutputRecord> found;
  for (const OutputRecord& record : records) {
    if (record.topic == topic) found.push_back(record);
  }
  return found;
}

absl::Status MemorySink::append(OutputTopic topic, std::optional<PartitionId> partition,
                                std::optional<std::string_view> key,
                                std::optional<std::string_view> value,
                                std::span<const Header> headers) {
  const std::optional<FaultKind> fault = topics_.faults.next(Seam::kAppend);
  if (fault == FaultKind::kBefore) return absl::UnavailableError("the transaction is lost");
  OutputRecord record{.topic = topic,
                      .partition = partition,
                      .key = owned(key),
                      .value = owned(value),
                      .headers = {}};
  for (const Header& header : headers) record.headers.emplace_back(header.name, header.value);
  pending_.push_back(std::move(record));
  return fault ? absl::UnavailableError("the transaction is lost") : absl::OkStatus();
}

absl::StatusOr<CommitReceipt> MemorySink::commit(const CommitRequest& request) {
  const std::optional<FaultKind> fault = topics_.faults.next(Seam::kCommit);
  if (fault == FaultKind::kBefore) {
    abandon();
    return absl::AbortedError("the transaction was aborted");
  }
  const std::scoped_lock lock(topics_.mutex);
  CommitReceipt receipt;
  for (OutputRecord& record : pending_) {
    if (record.topic == OutputTopic::kChangelog) {
      topics_.changelog[record.partition.value()].push_back(std::move(record));
    } else {
      topics_.records.push_back(std::move(record));
    }
  }
  pending_.clear();
  ++topics_.commits;
  for (const InputPosition& position : request.positions)
    topics_.positions[position.partition] = position;
  for (const auto& [partition, records] : topics_.changelog)
    receipt.changelog_next.emplace_back(partition, static_cast<Offset>(records.size()));
  if (fault) return absl::UnavailableError("no answer to the end of the transaction");
  return receipt;
}

void MemorySink::abandon() noexcept { pending_.clear(); }

}  // namespace rfm
