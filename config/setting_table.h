// The table of all settings: everything else (parsing, checking, `config show`,
// config/default.toml, the rules in the model log) is derived from it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace rfm {

// How a value is written. Every kind has one canonical text, which the model log stores and `config
// show` prints.
enum class SettingKind : std::uint8_t {
  kText,
  kName,          // Legal in a Kafka topic name: letters, digits, '.', '_', '-'.
  kChoice,        // One of `choices`.
  kInteger,       //
  kReal,          //
  kDuration,      // "100ms", "60s", "15m", "1h", "400d".
  kWindow,        // A duration, or "lifetime".
  kBytes,         // "512KiB", "64MiB".
  kListen,        // "127.0.0.1:7367", or empty (stream/text/host_port.h).
  kCurrency,      // Three capital letters.
  kUtcOffset,     // "+01:00".
  kPointer,       // JSON pointers and a constant ("/order/id, =none"; stream/decode/mapping.h), or
                  // empty for the format's own name.
  kColumn,        // The name of a CSV's column or of a file, or empty.
  kTypeRules,     // "ignore if /test, invoice" (stream/decode/mapping.h), or empty.
  kIds,           // "0, guest", or empty.
  kToggle,        // true or false.
  kNames,         // "rfm, churn".
  kPreset,        // The name of a segmentation preset.
  kAxes,          // A list of {name, quantity, ...} (config/segmentation_text.h).
  kSegmentMap,    // The name of a preset, rows of names, or a list of {segment, ...}.
  kSegments,      // A list of {name, rank, ...}.
  kCentroids,     // A list of {segment, r, f, m}.
  kScale,         // "1.3, 0.7, 1.2", or a list of three numbers.
  kInstant,       // "now", or an RFC 3339 time or date.
  kSegmentation,  // A whole segmentation, as the model log has it.
};

// Semantic settings decide state and transitions, so they are part of the model log and cannot
// differ between instances or starts. Instance settings say where Kafka is and how fast to go.
enum class SettingScope : std::uint8_t { kSemantic, kInstance };

struct SettingSpec {
  std::string_view key;  // "input.lateness"
  SettingKind kind = SettingKind::kText;
  SettingScope scope = SettingScope::kInstance;
  std::string_view default_text;  // Canonical.
  std::string_view min;           // In the kind's own notation; empty: no limit.
  std::string_view max;
  std::string_view choices;  // "net|gross"
  std::string_view description;
};

// All settings with a key of their own, in the order in which they are shown.
std::span<const SettingSpec> setting_table();

// The keys of every table [segmentation.NAME]; `key` is the part behind the name, and the defaults
// are those of a segmentation without preset.
std::span<const SettingSpec> segmentation_table();

// "segmentation.rfm.stay" to its parts; without the last part `key` is empty. Absent: another key.
struct SegmentationKey {
  std::string_view name;
  std::string_view key;
};
std::optional<SegmentationKey> split_segmentation_key(std::string_view key);

// The title comment of a section ("input"), for the documented defaults; empty if there is none.
std::string_view section_title(std::string_view section);

// nullptr if there is no such key. Of segmentations: the entry of segmentation_table(), or the one
// for a whole segmentation.
const SettingSpec* find_setting(std::string_view key);

// Keys below these prefixes ("kafka.properties.") are handed to librdkafka as they are.
std::span<const std::string_view> passthrough_prefixes();

}  // namespace rfm
