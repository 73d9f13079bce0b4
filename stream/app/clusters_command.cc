#include "stream/app/clusters_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/options.h"
#include "state/epoch.h"
#include "stream/app/cluster_count_report.h"
#include "stream/app/replay_setup.h"
#include "stream/app/stop_signal.h"
#include "stream/evaluate/cluster_evaluation.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

struct Arguments {
  ReplayArguments replay;
  std::string from = "2011-02-01";
  std::optional<std::string> counts;
};

// What `evaluate clusters` gathers at the refit boundaries while the stream passes them.
struct RefitMoment {
  std::vector<SampleRow> sample;  // Of all partitions.
  LabelCount labels;
};

class RefitMoments final : public LaneObserver {
 public:
  RefitMoments(const Replay& replay, const RefitSchedule& schedule, EventTime from)
      : replay_(replay), schedule_(schedule), from_(from) {}

  void on_contribution(const Contribution& contribution) override {
    const std::int64_t epoch = contribution.epoch;
    const bool wanted =
        contribution.has_sample && boundary_of(epoch) >= from_ && is_refit_epoch(schedule_, epoch);
    if (!wanted) return;
    RefitMoment& moment = by_epoch_[epoch];
    moment.sample.insert(moment.sample.end(), contribution.sample.begin(),
                         contribution.sample.end());
    for (const Partition* partition : replay_.lane().partitions()) {
      // The one that contributes is on its way over the boundary, with all its rows there.
      std::int64_t& counted = counted_[partition->id()];
      const PartitionMeta& meta = partition->meta();
      if (meta.contributed != epoch || meta.crossed + 1 != epoch || counted == epoch) continue;
      counted = epoch;
      moment.labels.add(count_labels(partition->rows(), replay_.rules(),
                                     *replay_.lane().models().effective_in(epoch),
                                     boundary_of(epoch)));
    }
  }

  const std::map<std::int64_t, RefitMoment>& by_epoch() const { return by_epoch_; }

 private:
  const Replay& replay_;
  RefitSchedule schedule_;
  EventTime from_;
  std::map<std::int64_t, RefitMoment> by_epoch_;
  std::map<PartitionId, std::int64_t> counted_;
};

void print_ratios(std::string_view name, std::vector<double> ratios) {
  std::sort(ratios.begin(), ratios.end());
  double sum = 0;
  for (const double ratio : ratios) sum += ratio;
  const std::size_t p95 = std::min(ratios.size() - 1, ratios.size() * 95 / 100);
  fmt::print("  {:<34}mean {:.4f}  p95 {:.4f}  max {:.4f}\n", name,
             sum / static_cast<double>(ratios.size()), ratios[p95], ratios.back());
}

absl::Status no_refits(const TrainingOptions& training) {
  const auto days_of_history =
      std::chrono::floor<std::chrono::days>(std::chrono::milliseconds(training.cluster_history_ms));
  return absl::FailedPreconditionError(
      fmt::format("no refit in this history had clusters in effect: the first ones need {} "
                  "customers and {} days of history, and the next refit after that falls within "
                  "a week",
                  training.population_on, days_of_history.count()));
}

// What the refit at `epoch` made; null if nothing was trained there. At the end of the history it
// is not in effect any more, so it is taken from the log.
const ModelVersion* trained_at(const Replay& replay, std::int64_t epoch) {
  const auto found = std::ranges::find(replay.versions(), epoch, &ModelVersion::trained_epoch);
  return found == replay.versions().end() ? nullptr : &*found;
}

// Whether clusters were in effect there, and refitted.
bool has_clusters(const Replay& replay, std::int64_t epoch) {
  const ModelVersion* next = trained_at(replay, epoch);
  return next != nullptr && next->clusters &&
         replay.lane().models().effective_in(epoch)->clusters.has_value();
}

absl::Status print_clusters(const Replay& replay, const RefitMoments& moments,
                            const TrainingOptions& training) {
  std::vector<double> adopted;
  std::vector<double> trained;
  LabelCount labels;
  for (const auto& [epoch, moment] : moments.by_epoch()) {
    if (StopSignal().asked()) return interrupted("not all refits are judged");
    const ModelVersion& effective = *replay.lane().models().effective_in(epoch);
    const bool is_comparable =
        has_clusters(replay, epoch) &&
        moment.sample.size() >= static_cast<std::size_t>(effective.clusters->cluster_count);
    if (!is_comparable) continue;
    const ModelVersion& next = *trained_at(replay, epoch);
    if (adopted.empty()) {
      fmt::print(
          "Clusters at each refit: inertia of the centroids in effect, and of those that the "
          "refit made, against a fresh K-Means of ten starts on the same sample\n");
      fmt::print("  {:<12}{:>9}{:>9}{:>4}{:>12}{:>12}{:>12}{:>9}{:>9}{:>13}\n", "refit", "version",
                 "n", "k", "in effect", "refit", "fresh", "ratio", "refit's", "not nearest");
    }
    const EventTime at = boundary_of(epoch);
    const ClusterAssessment a =
        assess_clusters(moment.sample, at, *effective.clusters, *next.clusters);
    const std::string not_nearest =
        moment.labels.labelled == 0
            ? "no labels"
            : fmt::format("{:.2f} %", moment.labels.not_nearest_share() * 100);
    fmt::print("  {:<12}{:>9}{:>9}{:>4}{:>12.3f}{:>12.3f}{:>12.3f}{:>9.4f}{:>9.4f}{:>13}\n",
               to_date(at), effective.number, a.customers, a.cluster_count, a.adopted_inertia,
               a.trained_inertia, a.fresh_inertia, a.adopted_ratio(), a.trained_ratio(),
               not_nearest);
    adopted.push_back(a.adopted_ratio());
    trained.push_back(a.trained_ratio());
    labels.add(moment.labels);
  }
  if (adopted.empty()) return no_refits(training);
  fmt::print("\n{} refits\n", adopted.size());
  print_ratios("in effect / fresh", std::move(adopted));
  print_ratios("refit / fresh", std::move(trained));
  if (labels.labelled == 0) {
    fmt::print("  No customer had a stored cluster at these refits\n");
  } else {
    fmt::print("  {:<34}{:.2f} % of {} stored labels\n", "another centroid is nearer",
               labels.not_nearest_share() * 100, labels.labelled);
  }
  return absl::OkStatus();
}

absl::Status compare_cluster_counts(const Replay& replay, const RefitMoments& moments,
                                    const ClusterCounts& counts, const Settings& settings) {
  std::vector<RefitSample> refits;
  for (const auto& [epoch, moment] : moments.by_epoch()) {
    if (!has_clusters(replay, epoch)) continue;
    refits.push_back({.at = boundary_of(epoch), .rows = moment.sample});
    std::ranges::sort(refits.back().rows, {}, &SampleRow::id_hash);
  }
  const TrainingOptions training = training_options(settings);
  if (refits.empty()) return no_refits(training);
  return report_cluster_counts(counts, refits, training, settings.text("input.currency"));
}

absl::Status evaluate_clusters(Arguments arguments) {
  const StopSignal stop;  // So that no temporary directory is left.
  const absl::StatusOr<EventTime> from = date_of(arguments.from, "--from");
  if (!from.ok()) return from.status();
  std::optional<ClusterCounts> counts;
  if (arguments.counts) {
    const absl::StatusOr<ClusterCounts> given = read_cluster_counts(*arguments.counts);
    if (!given.ok()) return given.status();
    if (given->first == given->last) {
      arguments.replay.settings.overrides.push_back(fmt::format("model.clusters={}", given->first));
    } else {
      counts = *given;
    }
  }
  absl::StatusOr<ReplaySetup> setup = ReplaySetup::open(arguments.replay);
  if (!setup.ok()) return setup.status();
  Replay& replay = setup->replay();
  const TrainingOptions training = training_options(setup->settings());
  RefitMoments moments(replay, training.schedule, *from);
  replay.observe(moments);
  absl::Status status = setup->run();
  if (status.ok()) status = check_not_empty(replay.lane());
  if (!status.ok()) return status;
  if (counts) return compare_cluster_counts(replay, moments, *counts, setup->settings());
  return print_clusters(replay, moments, training);
}

}  // namespace

void add_clusters_command(CLI::App& evaluate, Invocation& invocation) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& command = *evaluate.add_subcommand(
      "clusters", "How near the online clusters stay to a batch fit, and how many there should be");
  add_input_arguments(command, arguments->replay);
  command.add_option("--from", arguments->from, "The first refit that is judged")
      ->type_name("DATE")
      ->capture_default_str();
  command
      .add_option(
          "--k", arguments->counts,
          "A number of clusters (as --set model.clusters=NUMBER), or a range such as 2..10, "
          "whose numbers are compared instead")
      ->type_name("NUMBER|FIRST..LAST");
  command.footer(
      "At each weekly refit, on its sample: the inertia (sum of squared distances to the nearest\n"
      "centroid, z-scores of log1p of R, F, M) of the centroids in effect, which are the refit of\n"
      "a week ago moved daily with their members, and of those that the refit makes, against a\n"
      "fresh K-Means of ten starts. And the share of customers whose cluster in training is not\n"
      "the nearest: they stay until another is nearer by a margin.\n\n"
      "With a range of k, on the last refit's sample, a fresh K-Means for each k:\n"
      "  fall, rate  of the inertia from k - 1: in percent, and the a with which it falls as k^-a\n"
      "  silhouette  mean of (b - a) / max(a, b), the distances to one's own cluster and to the\n"
      "              next one; of at most 8,192 customers. simplified: distances to centroids\n"
      "  C-H, D-B    Calinski-Harabasz (higher is better), Davies-Bouldin (lower is better)\n"
      "  smallest    share of the customers in the smallest cluster\n"
      "  refit       how alike the clusters before and after a refit are for the same customers:\n"
      "              adjusted Rand index (1 equal, 0 chance), mean over the refits from --from\n"
      "  week        the same of the customers' clusters at one refit and the next\n"
      "and the optimal 1-D K-Means of R, F and M alone. An elbow is clear where the rate is at\n"
      "least twice that of the next step, and above that of evenly spread points.\n\n"
      "Examples:\n"
      "  rfmstream evaluate clusters --input online_retail.csv --k 4\n"
      "  rfmstream evaluate clusters --input online_retail.csv --k 2..10\n"
      "  rfmstream evaluate clusters --input history.jsonl --format invoices --from 2024-03-01 \\\n"
      "    --set rfm.monetary=gross");
  command.callback([arguments, &invocation] {
    invocation.run = [arguments] { return evaluate_clusters(*arguments); };
  });
}

}  // namespace rfm
