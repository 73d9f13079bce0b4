// Which topics an application has, how they are created and what must hold for them. One table, for
// `run`, `topics create` and `topics check` (docs/formats.md, "Topics").
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "stream/kafka/kafka_options.h"

namespace rfm {

enum class TopicReaction : std::uint8_t {
  kRefuse,  // `run` does not start: something would be lost or spoiled.
  kWarn,
};

// What must hold for one setting of a topic.
struct TopicRule {
  enum class Kind : std::uint8_t {
    kIs,       // The value.
    kAtLeast,  // An integer; -1 is without limit.
    kAtMost,
  };
  std::string setting;
  Kind kind = Kind::kIs;
  std::string value;
  TopicReaction reaction = TopicReaction::kRefuse;
  std::string why;  // "else state is lost".
};

struct TopicSpec {
  std::string name;
  int partitions = 1;
  // To another number of partitions; absent: that is for the topic's readers to choose.
  std::optional<TopicReaction> partitions_reaction = TopicReaction::kRefuse;
  std::vector<TopicRule> rules = {};
  // What it is created with; what is not named is the broker's default.
  std::map<std::string, std::string> settings = {};
};

// What the topics depend on.
struct TopicPlan {
  int input_partitions = 8;
  int output_partitions = 8;
  int broker_count = 1;
  std::int64_t input_message_bytes_max = 1'048'588;  // Kafka's own default.
  std::int64_t record_bytes_max = 1 << 20;           // `input.record_max`.
  std::int64_t input_retention_ms = -1;              // Without limit.
  std::int64_t input_retention_bytes = -1;
};

// All topics that an application reads and writes, the input first.
std::vector<TopicSpec> application_topics(const KafkaOptions& options, const TopicPlan& plan);

struct TopicDescription {
  int partitions = 0;
  // All that the broker names, its defaults too; absent: it does not let us read them.
  std::optional<std::map<std::string, std::string>> settings;

  std::optional<std::string> setting(const std::string& setting_name) const;
};

enum class TopicOutcome : std::uint8_t { kCreated, kAsExpected, kDiffers, kMissing };

struct TopicDifference {
  std::string text;  // "cleanup.policy is delete, expected compact: else state is lost".
  TopicReaction reaction = TopicReaction::kRefuse;
  std::string mend = {};  // A command line that ends it; empty: there is none.

  friend bool operator==(const TopicDifference&, const TopicDifference&) = default;
};

struct TopicReport {
  std::string name;
  TopicOutcome outcome = TopicOutcome::kAsExpected;
  std::vector<TopicDifference> differences;
};

// `found`: what there is under that name; absent: no such topic.
TopicReport compare(const TopicSpec& spec, const std::optional<TopicDescription>& found,
                    const std::string& brokers);

}  // namespace rfm
