// How fast the same records go through the Kafka client and the broker when nothing is computed:
// reads the input as a lane does and writes what an earlier run of rfmstream wrote, in proportion,
// in transactions as long as a lane's. What rfmstream reaches can be compared with it.
//
//   pass_through BROKERS APPLICATION TARGET PARTITIONS LANES
//
// APPLICATION has run to the end of the topic `invoices`; the topics of TARGET exist and are empty.
// All output is held in memory. Prints one line: the records read, the records written, the seconds
// and the CPU seconds it took.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "stream/kafka/kafka_options.h"
#include "stream/kafka/kafka_producer.h"
#include "stream/kafka/kafka_reader.h"
#include "stream/kafka/kafka_source.h"
#include "stream/record/output_sink.h"
#include "stream/record/record.h"

namespace rfm {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono_literals::operator""ms;

constexpr std::size_t kBatchRecords = 1'000;  // As a lane reads (stream/pipeline/lane.cc).
constexpr auto kCommitInterval = 500ms;       // As `commit.interval_behind`.
constexpr auto kWait = 100ms;
enum Topic : std::uint8_t { kTransitionsTopic, kSegmentsTopic, kChangelogTopic, kTopicCount };

struct OutputRecord {
  Topic topic = kTransitionsTopic;
  std::optional<PartitionId> partition;  // Absent: by key.
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::vector<std::pair<std::string, std::string>> headers;
  double place = 0;  // In its own partition: 0 is the first record, 1 the last.
};

// What one lane reads and writes.
struct LaneShare {
  std::vector<PartitionRange> input;
  std::int64_t input_records = 0;
  std::vector<OutputRecord> output;
};

void require(const absl::Status& status) {
  if (status.ok()) return;
  fmt::print(stderr, "pass_through: {}\n", status.ToString());
  std::exit(EXIT_FAILURE);
}

template <typename T>
T required(absl::StatusOr<T> value) {
  require(value.status());
  return std::move(*value);
}

KafkaOptions options_of(std::string_view brokers, std::string_view application) {
  KafkaOptions options;
  options.brokers = brokers;
  options.application = application;
  options.transitions_topic = fmt::format("{}-transitions", application);
  options.segments_topic = fmt::format("{}-segments", application);
  return options;
}

std::array<std::string, kTopicCount> topics_of(const KafkaOptions& options) {
  const KafkaTopicNames names = topic_names(options);
  return {names.transitions, names.segments, names.changelog};
}

OutputRecord copy_of(const RecordView& record, Topic topic, PartitionId partition) {
  OutputRecord copy{
      .topic = topic, .partition = {}, .key = {}, .value = {}, .headers = {}, .place = 0};
  if (topic == kChangelogTopic) copy.partition = partition;
  if (record.key) copy.key = *record.key;
  if (record.value) copy.value = *record.value;
  for (const RecordHeader& header : record.headers.read())
    copy.headers.emplace_back(header.name, header.value.value_or(""));
  return copy;
}

std::vector<LaneShare> shares(const KafkaOptions& application, int partitions, int lanes) {
  std::vector<LaneShare> result(static_cast<std::size_t>(lanes));
  const std::unique_ptr<KafkaReader> reader = required(KafkaReader::open(application));
  const std::array<std::string, kTopicCount> topics = topics_of(application);
  for (PartitionId partition = 0; partition < partitions; ++partition) {
    LaneShare& share = result[static_cast<std::size_t>(partition % lanes)];
    const OffsetRange range = required(reader->range(application.input_topic, partition));
    share.input.push_back({.partition = partition, .range = range});
    share.input_records += range.end - range.begin;
    for (const Topic topic : {kTransitionsTopic, kSegmentsTopic, kChangelogTopic}) {
      const auto keep = [&](const RecordView& record) {
        share.output.push_back(copy_of(record, topic, partition));
        return absl::OkStatus();
      };
      const std::size_t before = share.output.size();
      require(reader->read_to_end(topics[topic], partition, kFromBeginning, keep).status());
      const std::span<OutputRecord> kept = std::span(share.output).subspan(before);
      for (std::size_t i = 0; i < kept.size(); ++i)
        kept[i].place = static_cast<double>(i) / static_cast<double>(kept.size());
    }
  }
  // A lane writes to all topics and partitions in turn.
  for (LaneShare& share : result) std::ranges::stable_sort(share.output, {}, &OutputRecord::place);
  return result;
}

void write(KafkaProducer& producer, const OutputRecord& record, std::vector<Header>& headers) {
  headers.clear();
  for (const auto& [name, value] : record.headers) headers.push_back({name, value});
  require(producer.produce(static_cast<ProducerTopic>(record.topic), record.partition, record.key,
                           record.value, headers));
}

void pass_through(KafkaOptions options, const LaneShare& share, int lane) {
  options.lane = lane;
  if (share.input_records == 0) return;
  const std::unique_ptr<KafkaSource> source = required(KafkaSource::over(options, share.input));
  const std::unique_ptr<KafkaProducer> producer = required(
      KafkaProducer::open(options, lane_name(options), topics_of(options), nullptr, nullptr));
  std::int64_t read = 0;
  std::size_t written = 0;
  std::vector<Header> headers;
  auto commit_at = SteadyClock::now() + kCommitInterval;
  while (true) {
    require(source->service());
    bool waiting = true;
    bool ended = true;
    for (const PartitionRange& input : share.input) {
      const std::span<const RecordView> records =
          required(source->read(input.partition, kBatchRecords));
      read += static_cast<std::int64_t>(records.size());
      waiting = waiting && records.empty();
      ended = ended && source->at_end(input.partition);
      const std::size_t due = share.output.size() * static_cast<std::uint64_t>(read) /
                              static_cast<std::uint64_t>(share.input_records);
      while (written < due) write(*producer, share.output[written++], headers);
    }
    if (ended) break;
    if (waiting) source->wait(kWait);
    if (SteadyClock::now() >= commit_at) {
      require(producer->commit(options.input_topic, {}, nullptr));
      commit_at = SteadyClock::now() + kCommitInterval;
    }
  }
  while (written < share.output.size()) write(*producer, share.output[written++], headers);
  require(producer->commit(options.input_topic, {}, nullptr));
}

int run(std::span<char* const> arguments) {
  int partitions = 0;
  int lanes = 0;
  if (arguments.size() != 6 || !absl::SimpleAtoi(arguments[4], &partitions) ||
      !absl::SimpleAtoi(arguments[5], &lanes) || lanes < 1 || partitions < lanes) {
    fmt::print(stderr, "usage: pass_through BROKERS APPLICATION TARGET PARTITIONS LANES\n");
    return EXIT_FAILURE;
  }
  const std::vector<LaneShare> lane_shares =
      shares(options_of(arguments[1], arguments[2]), partitions, lanes);
  const KafkaOptions target = options_of(arguments[1], arguments[3]);
  std::int64_t read = 0;
  std::size_t written = 0;
  const auto started = SteadyClock::now();
  const std::clock_t cpu_before = std::clock();
  {
    std::vector<std::jthread> threads;
    for (int lane = 0; lane < lanes; ++lane) {
      const LaneShare& share = lane_shares[static_cast<std::size_t>(lane)];
      read += share.input_records;
      written += share.output.size();
      threads.emplace_back(pass_through, target, std::cref(share), lane);
    }
  }
  const std::chrono::duration<double> taken = SteadyClock::now() - started;
  const double cpu = static_cast<double>(std::clock() - cpu_before) / CLOCKS_PER_SEC;
  fmt::print("{} read, {} written, {:.2f} s, {:.2f} CPU s\n", read, written, taken.count(), cpu);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace rfm

int main(int count, char** arguments) {
  return rfm::run({arguments, static_cast<std::size_t>(count)});
}
