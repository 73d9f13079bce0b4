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
  const std::scoped_lock lock(model_log_mutex);
  model_log.insert(model_log.end(), versions.begin(), versions.end());
  return absl::OkStatus();
}

std::vector<OutputRecord> MemoryTopics::of(OutputTopic topic) const {
  std::vector<OutputRecord> found;
  for (const OutputRecord& record : records) {
    if (record.topic == topic) found.push_back(record);
  }
  return found;
}

void MemorySink::fail_at(SinkFault fault, std::uint64_t n) {
  faults_[fault] = n + (fault == SinkFault::kAppend ? appends_ : commits_);
}

absl::Status MemorySink::append(OutputTopic topic, std::optional<PartitionId> partition,
                                std::optional<std::string_view> key,
                                std::optional<std::string_view> value,
                                std::span<const Header> headers) {
  const auto fault = faults_.find(SinkFault::kAppend);
  if (appends_++; fault != faults_.end() && fault->second + 1 == appends_)
    return absl::UnavailableError("the transaction is lost");
  OutputRecord record{.topic = topic,
                      .partition = partition,
                      .key = owned(key),
                      .value = owned(value),
                      .headers = {}};
  for (const Header& header : headers) record.headers.emplace_back(header.name, header.value);
  pending_.push_back(std::move(record));
  return absl::OkStatus();
}

absl::StatusOr<CommitReceipt> MemorySink::commit(const CommitRequest& request) {
  const std::uint64_t call = commits_++;
  const auto fails = [&](SinkFault fault) {
    const auto found = faults_.find(fault);
    return found != faults_.end() && found->second == call;
  };
  if (fails(SinkFault::kCommitAborted)) {
    abandon();
    return absl::AbortedError("the transaction was aborted");
  }
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
  if (fails(SinkFault::kCommitUnknown))
    return absl::UnavailableError("no answer to the end of the transaction");
  return receipt;
}

void MemorySink::abandon() noexcept { pending_.clear(); }

}  // namespace rfm
