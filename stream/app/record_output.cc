#include "stream/app/record_output.h"

#include <fmt/format.h>

#include <array>

#include "stream/app/progress.h"
#include "stream/kafka/kafka_topics.h"
#include "stream/text/json_text.h"

namespace rfm {

namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
constexpr std::uint64_t kTransactionRecordsMax = 500'000;
constexpr std::uint64_t kClockEvery = 1'024;  // Records between looks at the clock.
constexpr auto kTransactionTime = std::chrono::milliseconds{100};

std::string tombstone_envelope(std::string_view key) {
  TextBuffer buffer;
  JsonText out(buffer);
  out.begin_object();
  out.key("key").text(key);
  out.key("headers").begin_object();
  out.end_object();
  out.key("value").raw("null");
  out.end_object();
  return std::string(buffer.view());
}

}  // namespace

absl::StatusOr<RecordOutput> RecordOutput::open_file(const std::string& path,
                                                     OutputFile::Place place) {
  absl::StatusOr<OutputFile> file = OutputFile::open(path, place);
  if (!file.ok()) return file.status();
  RecordOutput output(path == "-" ? "standard output" : path);
  output.file_ = *std::move(file);
  output.buffer_.reserve(kBufferBytes + kBufferBytes / 4);
  return output;
}

absl::StatusOr<RecordOutput> RecordOutput::open_topic(const KafkaOptions& options,
                                                      std::string_view role) {
  absl::StatusOr<KafkaTopics> topics_there = KafkaTopics::open(options);
  if (!topics_there.ok()) return topics_there.status();
  const absl::StatusOr<std::optional<int>> partitions =
      topics_there->partition_count(options.input_topic);
  if (!partitions.ok()) {
    return absl::Status(partitions.status().code(),
                        fmt::format("{}; check kafka.brokers, which is {}",
                                    std::string(partitions.status().message()), options.brokers));
  }
  if (!*partitions) {
    return absl::NotFoundError(fmt::format(
        "there is no topic {} at {}; \"rfmstream topics create\" creates it, or name another with "
        "--set input.topic=NAME",
        options.input_topic, options.brokers));
  }
  RecordOutput output(fmt::format("the topic {} at {}", options.input_topic, options.brokers));
  const std::array<std::string, 1> topics = {options.input_topic};
  absl::StatusOr<std::unique_ptr<KafkaProducer>> producer = KafkaProducer::open(
      options, fmt::format("{}-{}", options.application, role), topics, nullptr, nullptr);
  if (!producer.ok()) return producer.status();
  output.producer_ = *std::move(producer);
  output.committed_at_ = std::chrono::steady_clock::now();
  return output;
}

absl::Status RecordOutput::write(std::optional<std::string_view> key,
                                 std::optional<std::string_view> value) {
  ++records_;
  if (!producer_)
    return write_line(value ? *value : std::string_view(tombstone_envelope(key.value_or(""))));
  if (absl::Status status = producer_->produce(ProducerTopic{0}, std::nullopt, key, value, {});
      !status.ok()) {
    return status;
  }
  ++uncommitted_;
  if (uncommitted_ >= kTransactionRecordsMax) return commit();
  return uncommitted_ % kClockEvery == 0 ? service() : absl::OkStatus();
}

absl::Status RecordOutput::write_header(std::string_view line) {
  return producer_ ? absl::OkStatus() : write_line(line);
}

absl::Status RecordOutput::write_line(std::string_view line) {
  buffer_ += line;
  buffer_ += '\n';
  return buffer_.size() < kBufferBytes ? absl::OkStatus() : flush_buffer();
}

absl::Status RecordOutput::flush_buffer() {
  absl::Status status = file_->write(buffer_);
  buffer_.clear();
  return status.ok() ? file_->flush() : status;
}

absl::Status RecordOutput::service() {
  if (!producer_) return flush_buffer();
  if (std::chrono::steady_clock::now() - committed_at_ < kTransactionTime) return absl::OkStatus();
  return commit();
}

absl::Status RecordOutput::commit() {
  uncommitted_ = 0;
  absl::Status status = producer_->commit("", {}, nullptr);
  committed_at_ = std::chrono::steady_clock::now();
  return status;
}

absl::Status RecordOutput::finish() {
  if (producer_) return commit();
  if (absl::Status status = flush_buffer(); !status.ok()) return status;
  return file_->finish();
}

std::string RecordOutput::summary() const {
  return fmt::format("{} records written to {}", grouped(records_), place_);
}

}  // namespace rfm
