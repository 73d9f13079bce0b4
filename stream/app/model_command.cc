#include "stream/app/model_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "config/options.h"
#include "model/cluster_names.h"
#include "state/epoch.h"
#include "stream/app/kafka_setup.h"
#include "stream/app/progress.h"
#include "stream/app/rules_log.h"
#include "stream/app/text_table.h"
#include "stream/format/explanation.h"
#include "stream/run/requests.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

struct Arguments {
  SettingsArguments settings;
  RulesPlace place;
};

void print_cuts(const ModelVersion& version) {
  if (version.cuts.empty()) return fmt::print("\nCuts: none yet, the start cuts hold\n");
  std::vector<std::vector<std::string>> lines = {{"measure", "how", "bins", "cuts"}};
  for (const TrainedCuts& trained : version.cuts) {
    lines.push_back({std::string(name(trained.quantity)), std::string(name(trained.method)),
                     fmt::format("{}", trained.bins), cuts_text(trained.quantity, trained.cuts)});
  }
  fmt::print("\nCuts\n");
  print_table(lines);
}

// Centroids are means of log1p.
void print_clusters(const ClusterModel& clusters) {
  std::vector<std::vector<std::string>> lines = {
      {"id", "name", "days of silence", "purchases", "spend"}};
  for (std::size_t c = 0; c < static_cast<std::size_t>(clusters.cluster_count); ++c) {
    const FeatureVector& center = clusters.centroids[c];
    lines.push_back({fmt::format("{}", c), std::string(cluster_name(clusters.names[c])),
                     fmt::format("{:.1f}", std::expm1(center[0])),
                     fmt::format("{:.1f}", std::expm1(center[1])),
                     fmt::format("{:.2f}", std::expm1(center[2]))});
  }
  print_table(lines);
}

absl::Status show(const Arguments& arguments) {
  const absl::StatusOr<Settings> settings = arguments.settings.load();
  if (!settings.ok()) return settings.status();
  const absl::StatusOr<ModelVersion> version = read_newest_model(arguments.place, *settings);
  if (!version.ok()) return version.status();
  fmt::print("Model version {}, trained on {} on {} customers, in force from {} on\n",
             version->number, to_date(boundary_of(version->trained_epoch)),
             grouped(static_cast<std::uint64_t>(version->population)),
             to_date(boundary_of(version->trained_epoch + 1)));
  print_cuts(*version);
  if (version->clusters) {
    fmt::print("\nClusters\n");
    print_clusters(*version->clusters);
  }
  if (!version->held) return absl::OkStatus();
  const HeldClusters& held = *version->held;
  fmt::print(
      "\nHeld since {}: other clusters, which fitted {:.1f} % better there and would have moved "
      "{:.1f} %\nof the customers, more than model.moved_max. `rfmstream model promote` takes "
      "them;\nthe next refit replaces or drops them\n",
      to_date(boundary_of(held.epoch)),
      (1 - held.clusters.inertia_per_customer / version->clusters->inertia_per_customer) * 100,
      held.moved * 100);
  print_clusters(held.clusters);
  return absl::OkStatus();
}

absl::Status promote(const Arguments& arguments) {
  const absl::StatusOr<Settings> settings = arguments.settings.load();
  if (!settings.ok()) return settings.status();
  const KafkaOptions kafka = kafka_options(*settings, 0);
  const absl::StatusOr<ModelVersion> version = read_newest_model(arguments.place, *settings);
  if (absl::IsUnavailable(version.status())) {
    return absl::UnavailableError(
        fmt::format("what is held is taken by the running service, which is asked over Kafka: {}",
                    std::string(version.status().message())));
  }
  if (!version.ok()) return version.status();
  if (!version->held) {
    return absl::FailedPreconditionError(fmt::format(
        "no clusters are held: those of model version {}, trained on {}, are all there are",
        version->number, to_date(boundary_of(version->trained_epoch))));
  }
  if (const absl::StatusOr<int> found = check_topic(kafka, topic_names(kafka).requests);
      !found.ok())
    return found.status();
  const absl::Status sent = send_request(kafka, PromoteRequest{.epoch = version->held->epoch});
  if (!sent.ok()) return sent;
  fmt::print(
      "asked for the clusters held since {}: a service that runs and trains takes them with the "
      "next day that it trains, in force a day after it. `rfmstream model show` says when that has "
      "happened\n",
      to_date(boundary_of(version->held->epoch)));
  return absl::OkStatus();
}

}  // namespace

void add_model_command(CLI::App& app, Invocation& invocation) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& model = *app.add_subcommand("model", "What is trained: look at it, take what is held");
  model.require_subcommand(1);
  model.footer(
      "A weekly refit tries fresh starts of the clusters, too. One that fits better, but would "
      "move\n"
      "more than model.moved_max of the customers to other segments, is held until the next "
      "refit,\n"
      "and the clusters in force go on from where they are. `promote` asks for it.\n"
      "Examples:\n"
      "  rfmstream model show\n"
      "  rfmstream model promote");

  CLI::App& shown = *model.add_subcommand("show", "Print the newest model, and clusters held");
  add_settings_arguments(shown, arguments->settings);
  shown
      .add_option("--state", arguments->place.state,
                  "State directory of `replay --state` instead of the model log of app.name")
      ->type_name("DIR");
  shown.callback(
      [arguments, &invocation] { invocation.run = [arguments] { return show(*arguments); }; });

  CLI::App& promoted = *model.add_subcommand("promote", "Ask for the clusters that are held");
  add_settings_arguments(promoted, arguments->settings);
  promoted.footer(
      "The running service logs them as a new model version with the next day that it trains.\n"
      "Whose segment is another one changes there, for the reason model_change, which is never\n"
      "actionable. A state directory of `replay` has no service to ask: rules with\n"
      "model.moved_max = 1 (`rfmstream rules apply --state DIR`) hold nothing.\n"
      "\n"
      "Example:\n"
      "  rfmstream model promote --config rfmstream.toml");
  promoted.callback(
      [arguments, &invocation] { invocation.run = [arguments] { return promote(*arguments); }; });
}

}  // namespace rfm
