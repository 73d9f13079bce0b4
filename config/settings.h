// The settings of one application: a flat, ordered table of keys (config/setting_table.h), filled
// from the built-in defaults, then one TOML file, then `--set section.key=value`, the later
// winning.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/segmentation_settings.h"
#include "config/setting_table.h"
#include "model/segmentation.h"

namespace rfm {

enum class SettingOrigin : std::uint8_t {
  kDefault,
  kPreset,
  kFile,
  kEnvironment,
  kOverride,
  kModelLog
};
std::string_view name(SettingOrigin origin);

// A setting and where its value comes from.
struct EffectiveSetting {
  std::string key;
  std::string text;  // Canonical.
  SettingOrigin origin = SettingOrigin::kDefault;
  std::string where;                  // "rfmstream.toml:12" or "--set"; empty for defaults.
  const SettingSpec* spec = nullptr;  // nullptr: handed to librdkafka as it is.
  bool is_changed = false;            // Another value than the default's.
};

// Its value, for people: what librdkafka takes as a secret is nobody's to see.
std::string shown_text(const EffectiveSetting& setting);

// Every error is InvalidArgument and names the place, the key, the value and what is allowed. An
// accessor called with a key that does not exist, or of another kind, is a programmer's error and
// aborts.
class Settings {
 public:
  Settings();  // The defaults.

  absl::Status merge_file(const std::string& path);
  absl::Status merge_toml(std::string_view toml, std::string_view source_name);
  // "RFMSTREAM_KAFKA__BROKERS=...": section and key in capitals, "__" between them. Variables that
  // do not begin so are none of ours.
  absl::Status merge_environment(const std::vector<std::string>& variables);
  absl::Status set(std::string_view assignment);  // "rfm.monetary=gross"

  // One key; `where` is for messages. Text in the kind's notation, stored in canonical form.
  absl::Status assign(std::string_view key, std::string_view text, SettingOrigin origin,
                      std::string_view where);

  // The same for a key that has its default.
  absl::Status assign_unset(std::string_view key, std::string_view text, SettingOrigin origin,
                            std::string_view where);

  // What to say of `key` whose value `reason` refuses.
  absl::Status refuse(std::string_view key, std::string_view reason) const;

  // kInvalidArgument listing every semantic setting that differs from the model log's, with both
  // values, and saying what to do. A key that either side lacks counts as its default: older
  // versions did not know it. kChosen: only those that a file or the command line set; the others
  // are the log's to say.
  enum class Compared : std::uint8_t { kAll, kChosen };
  absl::Status check_same_rules(const std::map<std::string, std::string>& logged,
                                std::string_view advice, Compared compared = Compared::kAll) const;

  bool is_logged(std::string_view key) const;   // Its value comes from a model log.
  bool is_default(std::string_view key) const;  // Nobody has set it.
  const std::string& text(std::string_view key) const;
  std::int64_t integer(std::string_view key) const;
  double real(std::string_view key) const;
  std::chrono::milliseconds duration(std::string_view key) const;
  std::optional<std::chrono::milliseconds> window(std::string_view key) const;  // Absent: lifetime.
  std::chrono::minutes utc_offset(std::string_view key) const;
  std::int64_t bytes(std::string_view key) const;
  // What is handed to librdkafka: all keys below `prefix` ("kafka.properties."), without it.
  std::map<std::string, std::string> passthrough(std::string_view prefix) const;

  // Those of [segmentation.NAME] and the default ones. Errors name the place and the segmentation.
  absl::StatusOr<Segmentations> segmentations() const;

  // All settings in the table's order, then those of the segmentations, then the librdkafka
  // properties by name. Axes, map and segments are shown where they are set; those of a preset are
  // "preset NAME".
  std::vector<EffectiveSetting> effective() const;

  // Key to canonical text of every semantic setting: what `rules/1` of the model log holds. A
  // segmentation is one entry, whole, so that it does not depend on what a preset means. The
  // segmentations must be valid.
  std::map<std::string, std::string> semantic() const;

 private:
  struct Entry {
    std::string text;
    SettingOrigin origin = SettingOrigin::kDefault;
    std::string where;
  };

  const Entry& entry(std::string_view key) const;
  const Entry* find_entry(std::string_view key) const;
  // By name, those that are disabled included; the default ones may have no texts.
  std::map<std::string, SegmentationTexts> segmentation_texts() const;
  // `status` of a segmentation with the place that is to blame.
  absl::Status refuse_segmentation(std::string_view name, const absl::Status& status) const;
  void add_segmentations(std::vector<EffectiveSetting>& settings) const;
  bool is_chosen(std::string_view key) const;

  std::map<std::string, Entry, std::less<>> entries_;
};

// config/default.toml: every key with its default, its description and what is allowed.
std::string documented_defaults();
// A table [segmentation.NAME] of a settings file, with all keys of the spec.
std::string documented_segmentation(const SegmentationSpec& segmentation);

}  // namespace rfm
