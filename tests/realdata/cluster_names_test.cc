// Goal: from day 60 on no cluster bears a name that does not fit, whatever the weekday of the
// refits, and names seldom change. Method: train day by day; judge each day the names in effect by
// conditions written down here once more, relative to that day's customers.
#include "model/cluster_names.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/day.h"
#include "stream/generate/generator.h"
#include "tests/realdata/retail_history.h"
#include "tests/realdata/training_run.h"

namespace rfm {
namespace {

constexpr std::int64_t kFirstJudgedDay = 60;
constexpr double kMissedMax = 1.5;
constexpr double kHysteresis = .2;

// Customers at each boundary, from the first day of the history on.
struct Days {
  std::int64_t first_epoch = 0;
  std::vector<std::vector<SampleRow>> customers;
};

std::array<double, 3> figures(const FeatureVector& mean) {
  return {std::expm1(mean[0]), std::expm1(mean[1]), std::expm1(mean[2])};
}

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

// Whether the name says of the cluster what is not so by more than `slack`.
bool is_wrong(const std::string& name, const std::array<double, 3>& cluster,
              const std::array<double, 3>& population, double slack) {
  const auto [recency, frequency, money] = cluster;
  const double recent = std::min(population[0], 90.0);
  const double often = std::max(population[1], 1.5);
  const double much = population[2];
  const bool too_silent = recency > recent * slack;
  const bool too_recent = recency < recent / slack;
  const bool too_seldom = frequency < often / slack;
  const bool too_poor = money < much / slack;
  const bool too_rich = money > much * slack;
  if (name == "Champions") return too_silent || too_seldom || money < 2.5 * much / slack;
  if (name == "Loyal") return too_silent || too_seldom || too_poor;
  if (name == "Occasional") return too_silent || (frequency > often * slack && too_rich);
  if (name == "Dormant high-value") return too_recent || too_poor;
  if (name == "Hibernating") return too_recent || too_rich;
  if (contains(name, "Recent") ? too_silent : too_recent) return true;
  if (contains(name, "one purchase") ? frequency > 1.5 * slack : frequency < 1.5 / slack)
    return true;
  const double many = 2.5 * often;
  if (contains(name, "many") && frequency < many / slack) return true;
  if (contains(name, "repeat") && frequency > many * slack) return true;
  if (contains(name, "low spend")) return too_rich;
  if (contains(name, "high spend")) return too_poor || money > 2.5 * much * slack;
  return !contains(name, "top spend") || money < 2.5 * much / slack;
}

bool has_wrong_name(const ClusterModel& model, std::int64_t at_ms,
                    const std::vector<SampleRow>& customers) {
  FeatureVector mean{};
  for (const SampleRow& row : customers) {
    const FeatureVector x = features(row, at_ms);
    for (std::size_t f = 0; f < kFeatureCount; ++f)
      mean[f] += x[f] / static_cast<double>(customers.size());
  }
  const std::array<double, 3> population = figures(mean);
  bool wrong = false;
  double champions = -1;
  double good = 0;
  for (std::size_t id = 0; id < model.names.size(); ++id) {
    const std::array<double, 3> cluster = figures(model.centroids[id]);
    if (is_wrong(std::string(cluster_name(model.names[id])), cluster, population, kMissedMax))
      wrong = true;
    if (model.names[id] == kChampions) champions = cluster[2];
    if (model.names[id] == kLoyal) good = cluster[2];
  }
  return wrong || (champions >= 0 && good > champions * kMissedMax);
}

struct Outcome {
  int days = 0;
  int wrong_days = 0;
  int renames = 0;      // Clusters whose name changed.
  int versions = 0;     // That changed a name.
  int renames_max = 0;  // Of a history.
  int plain_days = 0;   // Clusters x days with a plain description.
};

void follow(const Days& history, TrainingOptions options, Outcome& outcome) {
  TrainingRun service(options, 1, kHysteresis);
  int renames = 0;
  for (std::size_t day = 0; day < history.customers.size(); ++day) {
    const std::int64_t epoch = history.first_epoch + static_cast<std::int64_t>(day);
    const std::vector<SampleRow>& customers = history.customers[day];
    const ModelVersion effective = service.latest();
    if (effective.clusters && day >= static_cast<std::size_t>(kFirstJudgedDay)) {
      ++outcome.days;
      outcome.wrong_days += has_wrong_name(*effective.clusters, boundary_ms(epoch), customers);
      for (const ClusterNameCode name : effective.clusters->names)
        outcome.plain_days += plain_name(name) ? 1 : 0;
    }
    const ModelVersion& next = service.run(epoch, customers);
    if (!next.clusters) continue;
    const std::vector<ClusterNameCode>& names = next.clusters->names;
    ASSERT_EQ(std::set<ClusterNameCode>(names.begin(), names.end()).size(), names.size());
    if (!effective.clusters || effective.clusters->names == names) continue;
    ASSERT_TRUE(is_refit_epoch(options.schedule, epoch));
    ASSERT_NE(next.cluster_change, ClusterChange::kNone);
    ++outcome.versions;
    for (std::size_t id = 0; id < names.size(); ++id)
      renames += names[id] != effective.clusters->names[id] ? 1 : 0;
  }
  outcome.renames += renames;
  outcome.renames_max = std::max(outcome.renames_max, renames);
}

void report(const char* what, const Outcome& o, int histories) {
  std::printf(
      "%s: %d histories, %d days, %d wrong; %d renames in %d versions, at most %d a history; %.2f "
      "plain names a day\n",
      what, histories, o.days, o.wrong_days, o.renames, o.versions, o.renames_max,
      static_cast<double>(o.plain_days) / o.days);
}

Days retail_days(const RetailHistory& history) {
  Days days{.first_epoch = midnight_ms(2010, 12, 2) / kDayMs, .customers = {}};
  for (std::int64_t epoch = days.first_epoch; epoch <= midnight_ms(2011, 12, 10) / kDayMs; ++epoch)
    days.customers.push_back(history.snapshot(boundary_ms(epoch)));
  return days;
}

Days generated_days(std::uint64_t seed) {
  Generator generator({.customers = 3000, .days = 730, .seed = seed});
  std::map<std::uint64_t, SampleRow> rows;
  Days days{.first_epoch = to_ms(generator.start()) / kDayMs + 1, .customers = {}};
  const auto close_days = [&](std::int64_t before_ms) {
    while (boundary_ms(days.first_epoch + static_cast<std::int64_t>(days.customers.size())) <=
           before_ms) {
      std::vector<SampleRow>& customers = days.customers.emplace_back();
      for (const auto& [hash, row] : rows) {
        if (row.frequency > 0) customers.push_back(row);
      }
    }
  };
  while (const std::optional<GeneratedEvent> event = generator.next()) {
    const std::int64_t time_ms = to_ms(event->time);
    close_days(time_ms);
    const std::uint64_t hash = (event->customer + 1) * 0x9e3779b97f4a7c15ULL;
    SampleRow& row = rows[hash];
    row.id_hash = hash;
    std::int64_t pence = 0;
    for (const GeneratedLine& line : event->lines)
      pence += line.quantity * generator.catalogue().product(line.product).price_pence;
    if (event->kind == GeneratedKind::kReturn) {
      row.monetary -= pence * 100;
      continue;
    }
    if (row.frequency++ == 0) row.first_purchase_ms = time_ms;
    row.last_purchase_ms = time_ms;
    row.monetary += pence * 100;
  }
  close_days(to_ms(generator.end()));
  return days;
}

TEST(ClusterNamesOverTime, FitOnOnlineRetailWhateverTheWeekdayOfRefits) {
  for (const Cancellations cancellations : {Cancellations::kDeducted, Cancellations::kIgnored}) {
    const std::optional<RetailHistory> history = RetailHistory::load(cancellations);
    if (!history) GTEST_SKIP() << "SKIPPED: " << data_dir() << "/online_retail.csv.xz is not there";
    const Days days = retail_days(*history);
    Outcome outcome;
    for (int weekday = 0; weekday < 7; ++weekday) {
      TrainingOptions options;
      options.schedule.refit_weekday = weekday;
      follow(days, options, outcome);
    }
    report(cancellations == Cancellations::kDeducted ? "net" : "gross", outcome, 7);
    EXPECT_GT(outcome.days, 7 * 300);
    EXPECT_EQ(outcome.wrong_days, 0);
  }
}

TEST(ClusterNamesOverTime, FitWithAnyNumberOfClusters) {
  const std::optional<RetailHistory> history = RetailHistory::load(Cancellations::kDeducted);
  if (!history) GTEST_SKIP() << "SKIPPED: " << data_dir() << "/online_retail.csv.xz is not there";
  const Days days = retail_days(*history);
  for (const int count : {2, 3, 4, 6, 9, 16}) {
    Outcome outcome;
    follow(days, {.cluster_count = count}, outcome);
    report(("k = " + std::to_string(count)).c_str(), outcome, 1);
    EXPECT_LE(outcome.wrong_days, 3) << count;
  }
}

TEST(ClusterNamesOverTime, FitOnGeneratedHistories) {
  constexpr int kSeeds = 16;
  Outcome outcome;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed)
    follow(generated_days(seed), {.seed = seed}, outcome);
  report("generated", outcome, kSeeds);
  EXPECT_GT(outcome.days, kSeeds * 600);
  EXPECT_EQ(outcome.wrong_days, 0);
}

}  // namespace
}  // namespace rfm
