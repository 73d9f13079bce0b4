#include "stream/app/tail_command.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"
#include "stream/app/choice_option.h"
#include "stream/app/kafka_setup.h"
#include "stream/app/log_output.h"
#include "stream/app/stop_signal.h"
#include "stream/kafka/kafka_source.h"
#include "stream/kafka/kafka_topics.h"
#include "stream/text/utf8.h"

namespace rfm {
namespace {

enum class Tailed : std::uint8_t { kTransitions, kSegments, kDeadLetters };

struct Arguments {
  SettingsArguments settings;
  Tailed topic = Tailed::kTransitions;
  bool from_beginning = false;
  std::uint64_t count = std::numeric_limits<std::uint64_t>::max();
};

// The text at a JSON pointer; empty when it is not there.
std::string_view text_at(simdjson::dom::element json, std::string_view pointer) {
  std::string_view text;
  return json.at_pointer(pointer).get_string().get(text) ? "" : text;
}

std::string_view header_of(const std::vector<RecordHeader>& headers, std::string_view name) {
  // The last one: those before may have come with the record.
  const auto found = std::find_if(headers.rbegin(), headers.rend(),
                                  [name](const RecordHeader& h) { return h.name == name; });
  return found == headers.rend() ? "" : found->value.value_or("");
}

std::string transition_line(const RecordView& record) {
  const std::string_view value = record.value.value_or("");
  simdjson::dom::parser parser;
  simdjson::dom::element body;
  if (parser.parse(value.data(), value.size()).get(body)) return std::string(value);
  return fmt::format("{}  {:<10} {:<8} {} -> {}  ({}) {}", text_at(body, "/effective_at"),
                     text_at(body, "/customer_id"), text_at(body, "/segmentation"),
                     text_at(body, "/from/segment"), text_at(body, "/to"), text_at(body, "/reason"),
                     text_at(body, "/explanation"));
}

std::string segments_line(const RecordView& record) {
  const std::string_view key = record.key.value_or("");
  if (!record.value) return fmt::format("{:<10} erased", key);
  simdjson::dom::parser parser;
  simdjson::dom::element body;
  if (parser.parse(record.value->data(), record.value->size()).get(body))
    return std::string(*record.value);
  return fmt::format("{:<10} churn {:<8} cluster {:<20} rfm {:<20} as of {}", key,
                     text_at(body, "/segments/churn"), text_at(body, "/segments/cluster"),
                     text_at(body, "/segments/rfm"), text_at(body, "/as_of"));
}

std::string dead_letter_line(const RecordView& record) {
  constexpr std::size_t kValueMax = 160;
  const std::vector<RecordHeader> headers = record.headers.read();
  std::string value = with_replacements(record.value.value_or("").substr(0, kValueMax));
  for (char& c : value) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return fmt::format("{:<20} {}  [{}/{}] {}", header_of(headers, "__streams.errors.exception"),
                     header_of(headers, "__streams.errors.message"),
                     header_of(headers, "__streams.errors.partition"),
                     header_of(headers, "__streams.errors.offset"), value);
}

std::string line_of(Tailed topic, const RecordView& record) {
  switch (topic) {
    case Tailed::kSegments:
      return segments_line(record);
    case Tailed::kDeadLetters:
      return dead_letter_line(record);
    case Tailed::kTransitions:
    default:
      return transition_line(record);
  }
}

std::string topic_name(Tailed topic, const KafkaOptions& kafka) {
  const KafkaTopicNames names = topic_names(kafka);
  if (topic == Tailed::kSegments) return names.segments;
  return topic == Tailed::kDeadLetters ? names.dead_letters : names.transitions;
}

absl::StatusOr<std::unique_ptr<KafkaSource>> open_source(const Arguments& arguments,
                                                         KafkaOptions kafka) {
  kafka.input_topic = topic_name(arguments.topic, kafka);
  const absl::StatusOr<int> partitions = check_topic(kafka, kafka.input_topic);
  if (!partitions.ok()) return partitions.status();
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(kafka);
  if (!topics.ok()) return topics.status();
  const absl::StatusOr<std::vector<OffsetRange>> log = topics->ranges(kafka.input_topic);
  if (!log.ok()) return log.status();
  std::vector<PartitionRange> ranges;
  for (PartitionId p = 0; p < *partitions; ++p) {
    const OffsetRange& range = (*log)[static_cast<std::size_t>(p)];
    ranges.push_back({.partition = p,
                      .range = {.begin = arguments.from_beginning ? range.begin : range.end,
                                .end = std::numeric_limits<Offset>::max()}});
  }
  return KafkaSource::over(kafka, ranges);
}

absl::Status tail(const Arguments& arguments) {
  constexpr std::size_t kBatch = 1'000;
  constexpr std::chrono::milliseconds kWait{100};
  const absl::StatusOr<Settings> settings = arguments.settings.load();
  if (!settings.ok()) return settings.status();
  log_to_standard_error("error");
  const KafkaOptions kafka = kafka_options(*settings, 0);
  if (absl::Status status = check_broker(kafka); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<KafkaSource>> source = open_source(arguments, kafka);
  if (!source.ok()) return source.status();
  const StopSignal stop;
  std::uint64_t left = arguments.count;
  while (left > 0 && !stop.asked()) {
    if (absl::Status status = (*source)->service(); !status.ok()) return status;
    bool any = false;
    for (const PartitionId p : (*source)->partitions()) {
      const absl::StatusOr<std::span<const RecordView>> records = (*source)->read(p, kBatch);
      if (!records.ok()) return records.status();
      for (const RecordView& record : *records) {
        if (left == 0) break;
        --left;
        any = true;
        fmt::print("{}\n", line_of(arguments.topic, record));
      }
    }
    if (any) {
      if (std::fflush(stdout) != 0) return absl::OkStatus();  // Nobody reads on.
    } else {
      (*source)->wait(kWait);
    }
  }
  return absl::OkStatus();
}

}  // namespace

void add_tail_command(CLI::App& app, Invocation& invocation) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& command =
      *app.add_subcommand("tail", "Print transitions from Kafka as they come, one line each");
  const std::map<std::string, Tailed> topics = {{"transitions", Tailed::kTransitions},
                                                {"segments", Tailed::kSegments},
                                                {"dead-letters", Tailed::kDeadLetters}};
  add_choice(command, "--topic", arguments->topic, topics,
             "transitions, segments or dead-letters (default: transitions)")
      .type_name("TOPIC");
  command.add_flag("--from-beginning", arguments->from_beginning,
                   "All that is there first (default: only what comes from now on)");
  command.add_option("--count", arguments->count, "End after N records (default: at Ctrl-C)")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, std::numeric_limits<std::uint64_t>::max())
                  .description("at least 1"));
  add_settings_arguments(command, arguments->settings);
  command.footer(
      "A line of a transition: when it took effect, customer, segmentation, from -> to, (reason),\n"
      "explanation. Only committed records are shown, once each, in order per customer.\n"
      "\n"
      "Examples:\n"
      "  rfmstream tail --from-beginning --count 20\n"
      "  rfmstream tail --topic dead-letters --set app.name=shop");
  command.callback(
      [arguments, &invocation] { invocation.run = [arguments] { return tail(*arguments); }; });
}

}  // namespace rfm
