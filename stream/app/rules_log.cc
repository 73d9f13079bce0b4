#include "stream/app/rules_log.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <thread>

#include "config/options.h"
#include "config/rules_change.h"
#include "state/epoch.h"
#include "stream/app/kafka_setup.h"
#include "stream/app/settings_rules.h"
#include "stream/run/kafka_restore.h"
#include "stream/run/requests.h"
#include "stream/run/state_snapshot.h"
#include "stream/run/stored_rules.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr std::chrono::milliseconds kLogPoll{500};

absl::StatusOr<ModelLog> read_topic(const KafkaOptions& kafka) {
  if (const absl::Status answered = check_broker(kafka); !answered.ok()) return answered;
  const std::string topic = topic_names(kafka).model;
  if (const absl::StatusOr<int> found = check_topic(kafka, topic); !found.ok())
    return found.status();
  return read_model_log(kafka);
}

absl::StatusOr<std::unique_ptr<StateSnapshot>> open_state(const std::string& directory,
                                                          const Settings& settings) {
  absl::StatusOr<std::unique_ptr<StateSnapshot>> snapshot = StateSnapshot::open(directory);
  if (!snapshot.ok()) return snapshot;
  SettingsRules reader(settings, "", Settings::Compared::kChosen);
  const absl::Status read = (*snapshot)->read_model(kafka_options(settings, 0), reader);
  if (!read.ok()) return read;
  return snapshot;
}

absl::StatusOr<std::string> write_to_state(const std::string& directory,
                                           const RulesRequest& request, const Settings& settings) {
  SettingsRules reader(settings, "", Settings::Compared::kAll);
  const absl::StatusOr<RulesRecord> logged = change_stored_rules(directory, request, reader);
  if (!logged.ok()) return logged.status();
  return fmt::format(
      "rules version {} is logged and holds {}: the next replay of the same input, with these "
      "settings, goes over to them there. What only the end of the input had led to is undone "
      "until then",
      logged->version, boundary_text(*logged));
}

absl::StatusOr<std::string> ask_service(const RulesPlace& place, const KafkaOptions& kafka,
                                        const RulesRequest& request) {
  const std::string topic = topic_names(kafka).requests;
  if (const absl::StatusOr<int> found = check_topic(kafka, topic); !found.ok())
    return found.status();
  if (const absl::Status sent = send_request(kafka, request); !sent.ok()) return sent;
  const std::int64_t version = request.base + 1;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{place.wait_s};
  while (true) {
    const absl::StatusOr<ModelLog> log = read_model_log(kafka);
    if (!log.ok()) return log.status();
    if (static_cast<std::int64_t>(log->rules.size()) < version) {
      if (std::chrono::steady_clock::now() >= until) break;
      std::this_thread::sleep_for(kLogPoll);
      continue;
    }
    const RulesRecord& logged = log->rules[static_cast<std::size_t>(version) - 1];
    if (logged.settings != request.settings) {
      return absl::AbortedError(
          "another change of the rules came first: `rfmstream rules diff` shows what is left");
    }
    return fmt::format(
        "rules version {} is logged and holds {}: everybody changes over there, without a restart",
        logged.version, boundary_text(logged));
  }
  return fmt::format(
      "asked for rules version {}. No service of application {} has taken it up yet: one that runs "
      "and trains, or is started with these settings or the ones before, will. `rfmstream rules "
      "show` says when",
      version, kafka.application);
}

}  // namespace

std::string boundary_text(const RulesRecord& rules) {
  if (!rules.effective_epoch) return "from the first record on";
  return fmt::format("from {} on", to_rfc3339(boundary_of(*rules.effective_epoch)));
}

absl::StatusOr<std::vector<RulesRecord>> read_rules_log(const RulesPlace& place,
                                                        const Settings& settings) {
  if (!place.state.empty()) {
    const absl::StatusOr<std::unique_ptr<StateSnapshot>> state = open_state(place.state, settings);
    if (!state.ok()) return state.status();
    return (*state)->rules_records();
  }
  const KafkaOptions kafka = kafka_options(settings, 0);
  absl::StatusOr<ModelLog> log = read_topic(kafka);
  if (!log.ok()) return log.status();
  if (!log->rules.empty()) return std::move(log->rules);
  return absl::NotFoundError(
      fmt::format("application {} has no rules yet: it logs the first ones, those that it is "
                  "started with, when it applies its first record",
                  kafka.application));
}

absl::StatusOr<ModelVersion> read_newest_model(const RulesPlace& place, const Settings& settings) {
  const absl::Status none = absl::NotFoundError("no model has been trained yet");
  if (!place.state.empty()) {
    const absl::StatusOr<std::unique_ptr<StateSnapshot>> state = open_state(place.state, settings);
    if (!state.ok()) return state.status();
    const ModelTimeline& models = (*state)->logs().models;
    if (!models.started()) return none;
    const ModelVersion* const newest = models.effective_in(models.trained_through() + 1);
    return newest->number > 0 ? absl::StatusOr<ModelVersion>(*newest) : none;
  }
  absl::StatusOr<ModelLog> log = read_topic(kafka_options(settings, 0));
  if (!log.ok()) return log.status();
  if (log->versions.empty() || log->versions.back().number == 0) return none;
  return std::move(log->versions.back());
}

absl::StatusOr<Settings> with_logged_input(Settings given, const RulesRecord& newest) {
  for (const EffectiveSetting& setting : given.effective()) {
    const auto logged = newest.settings.find(setting.key);
    if (setting.origin != SettingOrigin::kDefault || !setting.key.starts_with("input.") ||
        logged == newest.settings.end())
      continue;
    const absl::Status assigned =
        given.assign(setting.key, logged->second, SettingOrigin::kModelLog, "model log");
    if (!assigned.ok()) return assigned;
  }
  return given;
}

absl::StatusOr<std::string> change_rules(const RulesPlace& place, const Settings& settings,
                                         const std::vector<RulesRecord>& log,
                                         const std::map<std::string, std::string>& semantic) {
  const RulesRecord& newest = log.back();
  if (rules_differences(newest.settings, semantic).empty())
    return fmt::format("nothing to do: these are the rules of version {}", newest.version);
  const absl::Status changes = check_rules_change(newest.settings, semantic);
  if (!changes.ok()) return changes;
  const RulesRequest request{.base = newest.version, .settings = semantic};
  return place.state.empty() ? ask_service(place, kafka_options(settings, 0), request)
                             : write_to_state(place.state, request, settings);
}

}  // namespace rfm
