#include "config/checked_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "config/input_presets.h"
#include "config/options.h"
#include "config/setting_value.h"
#include "stream/kafka/kafka_topics.h"

namespace rfm {

namespace {

// The default names segmentations that may have been disabled since; so may a model log.
absl::Status check_precedence(const Settings& settings, const Segmentations& segmentations) {
  constexpr std::string_view kKey = "action.precedence";
  const std::string& text = settings.text(kKey);
  if (text == find_setting(kKey)->default_text || settings.is_logged(kKey)) return absl::OkStatus();
  const std::optional<std::vector<std::string>> order = parse_names(text);
  for (const std::string& name : *order) {
    if (segmentations.find(name) < segmentations.size()) continue;
    std::vector<std::string_view> names;
    for (const Segmentation& segmentation : segmentations.all())
      names.push_back(segmentation.name());
    return settings.refuse(kKey, fmt::format("there is no segmentation {}; allowed: {}", name,
                                             fmt::join(names, ", ")));
  }
  return absl::OkStatus();
}

// Without training there is nothing to take cuts, clusters or risks from.
absl::Status check_training(const Settings& settings, const Segmentations& segmentations) {
  constexpr std::string_view kKey = "model.training";
  if (settings.text(kKey) == "true") return absl::OkStatus();
  for (const Segmentation& segmentation : segmentations.all()) {
    const bool needs_cuts = std::ranges::any_of(segmentation.axes(), [](const Axis& axis) {
      return axis.cuts.method != CutMethod::kFixed;
    });
    if (!segmentation.is_cluster() && !segmentation.follows_risk() && !needs_cuts) continue;
    return settings.refuse(
        kKey,
        fmt::format("segmentation.{} needs {}; allowed: true, or disable it", segmentation.name(),
                    segmentation.is_cluster() ? "the clusters" : "trained cuts or the risk"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status check_settings(const Settings& settings) {
  if (settings.text("input.thousands") == settings.text("input.decimal")) {
    return settings.refuse("input.thousands",
                           fmt::format("allowed: another mark than input.decimal, which is {}",
                                       settings.text("input.decimal")));
  }
  if (settings.text("input.key") == "any" && settings.text("input.partitioner") != "any") {
    return settings.refuse("input.partitioner",
                           "allowed: \"any\", since with input.key = \"any\" keys say nothing");
  }
  if (settings.integer("model.population_off") > settings.integer("model.population_on")) {
    return settings.refuse("model.population_off",
                           fmt::format("allowed: at most model.population_on, which is {}",
                                       settings.text("model.population_on")));
  }
  if (const auto days = settings.window("rfm.window");
      days && *days > settings.duration("dedup.horizon")) {
    return settings.refuse(
        "rfm.window", fmt::format("allowed: \"lifetime\", or at most dedup.horizon, which is {}",
                                  settings.text("dedup.horizon")));
  }
  if (settings.duration("commit.interval_behind") < settings.duration("commit.interval")) {
    return settings.refuse("commit.interval_behind",
                           fmt::format("allowed: at least commit.interval, which is {}",
                                       settings.text("commit.interval")));
  }
  if (2 * settings.duration("commit.interval_behind") >
      settings.duration("kafka.transaction_timeout")) {
    return settings.refuse(
        "commit.interval_behind",
        fmt::format("allowed: at most half of kafka.transaction_timeout, which is {}, or the "
                    "broker would end transactions before their commit",
                    settings.text("kafka.transaction_timeout")));
  }
  const KafkaOptions kafka = kafka_options(settings, 0);
  if (absl::Status valid = validate(kafka); !valid.ok()) return valid;
  const KafkaTopicNames names = topic_names(kafka);
  std::map<std::string_view, std::string_view> uses = {
      {names.dead_letters, "for the dead letters"},
      {names.receipts, "for the receipts of erasures"},
      {names.changelog, "for the changelog"},
      {names.ticks, "for the ticks"},
      {names.contributions, "for the contributions"},
      {names.model, "for the model log"},
      {names.requests, "for the requests"},
      {names.idle, "to be empty"},
      {names.output_owners, "for the owners of output topics"}};
  for (const std::string_view key : {"input.topic", "output.transitions", "output.segments"}) {
    const auto [first, is_new] = uses.emplace(settings.text(key), key);
    if (!is_new)
      return settings.refuse(
          key, fmt::format("allowed: a topic of its own; this one is {}", first->second));
  }
  const absl::StatusOr<Segmentations> segmentations = settings.segmentations();
  if (!segmentations.ok()) return segmentations.status();
  if (absl::Status status = check_precedence(settings, *segmentations); !status.ok()) return status;
  if (absl::Status status = check_training(settings, *segmentations); !status.ok()) return status;
  return Decoder::check(decoder_options(settings, KeyPolicy::kRequired));
}

absl::StatusOr<Settings> load_settings(const std::optional<std::string>& file,
                                       const std::vector<std::string>& environment,
                                       const std::vector<std::string>& overrides) {
  Settings settings;
  if (file) {
    if (absl::Status status = settings.merge_file(*file); !status.ok()) return status;
  }
  if (absl::Status status = settings.merge_environment(environment); !status.ok()) return status;
  for (const std::string& assignment : overrides) {
    if (absl::Status status = settings.set(assignment); !status.ok()) return status;
  }
  if (absl::Status status = apply_preset(settings); !status.ok()) return status;
  if (absl::Status status = check_settings(settings); !status.ok()) return status;
  return settings;
}

absl::StatusOr<Settings> logged_settings(const std::map<std::string, std::string>& semantic) {
  Settings settings;
  // Which segmentations there are is said by the log alone.
  for (const Segmentation& segmentation : Segmentations::defaults().all()) {
    const std::string key = fmt::format("segmentation.{}", segmentation.name());
    if (semantic.contains(key)) continue;
    absl::Status status =
        settings.assign(key + ".enabled", "false", SettingOrigin::kModelLog, "model log");
    if (!status.ok()) return status;
  }
  for (const auto& [key, text] : semantic) {
    if (const auto parts = split_segmentation_key(key); parts && !parts->key.empty()) {
      return absl::InvalidArgumentError(
          fmt::format("model log: rule {} is of an older version of rfmstream, whose segmentations "
                      "were others; "
                      "use that version, or begin a new application",
                      key));
    }
    const SettingSpec* const spec = find_setting(key);
    if (spec == nullptr || spec->scope != SettingScope::kSemantic) {
      return absl::InvalidArgumentError(fmt::format(
          "model log: rule {} is not known to this version of rfmstream; use a newer one", key));
    }
    absl::Status status = settings.assign(key, text, SettingOrigin::kModelLog, "model log");
    if (!status.ok()) return status;
  }
  if (absl::Status status = check_settings(settings); !status.ok()) return status;
  return settings;
}

}  // namespace rfm
