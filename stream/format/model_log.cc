#include "stream/format/model_log.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "model/cluster_names.h"
#include "model/version_check.h"
#include "stream/format/log_fields.h"
#include "stream/text/json_text.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr int kFirstFormat = 1;
constexpr int kFormat = 3;
// Losses are unknown to programs that know the first format only: they must not pass over one.
constexpr int kLossFormat = 2;
// Rules from the second version on, which programs that know the format before do not follow.
constexpr int kLaterRulesFormat = 4;
// Versions with clusters that are held, which such programs would pass over.
constexpr int kHeldFormat = 4;
constexpr std::int64_t kLatestStartMs = to_ms(kLatestEventTime);
constexpr std::array<Quantity, kQuantityCount> kQuantities = {
    Quantity::kRecency, Quantity::kFrequency, Quantity::kMonetary, Quantity::kOrderValue,
    Quantity::kOverdue, Quantity::kRisk,      Quantity::kValue};
constexpr std::array<CutMethod, 3> kCutMethods = {CutMethod::kFixed, CutMethod::kQuantile,
                                                  CutMethod::kBreaks};
constexpr std::array<std::string_view, 5> kClusterChanges = {"none", "first_fit", "moved", "refit",
                                                             "challenger"};

// The shortest text that reads back as the same double.
void number(JsonText& out, double value) { out.raw(fmt::format("{}", value)); }

template <class Numbers>
void integers(JsonText& out, std::string_view name, const Numbers& values) {
  out.key(name).begin_array();
  for (const auto value : values) out.integer(value);
  out.end_array();
}

template <class Numbers>
void numbers(JsonText& out, std::string_view name, const Numbers& values) {
  out.key(name).begin_array();
  for (const double value : values) number(out, value);
  out.end_array();
}

void write_cuts(JsonText& out, const std::vector<TrainedCuts>& trained) {
  out.key("cuts").begin_array();
  for (const TrainedCuts& cuts : trained) {
    out.begin_object();
    out.key("quantity").text(name(cuts.quantity));
    out.key("method").text(name(cuts.method));
    out.key("bins").integer(cuts.bins);
    integers(out, "cuts", cuts.cuts);
    out.end_object();
  }
  out.end_array();
}

void write_clusters(JsonText& out, const ClusterModel& clusters) {
  out.key("clusters").begin_object();
  numbers(out, "weight", clusters.weight);
  out.key("centroids").begin_array();
  for (std::size_t c = 0; c < static_cast<std::size_t>(clusters.cluster_count); ++c) {
    out.begin_object();
    out.key("name").text(cluster_name(clusters.names[c]));
    numbers(out, "center", clusters.centroids[c]);
    out.end_object();
  }
  out.end_array();
  number(out.key("inertia_per_customer"), clusters.inertia_per_customer);
  out.end_object();
}

void write_held(JsonText& out, const HeldClusters& held) {
  out.key("held").begin_object();
  out.key("trained_epoch").integer(held.epoch);
  number(out.key("moved"), held.moved);
  write_clusters(out, held.clusters);
  out.end_object();
}

void write_churn(JsonText& out, const ChurnModel& churn) {
  out.key("churn").begin_object();
  number(out.key("nbd_r"), churn.nbd_r);
  number(out.key("nbd_alpha_days"), churn.nbd_alpha_days);
  number(out.key("intercept"), churn.intercept);
  numbers(out, "coefficient", churn.coefficient);
  numbers(out, "mean", churn.mean);
  numbers(out, "sd", churn.sd);
  out.end_object();
}

template <class Value, std::size_t kCount>
Value read_choice(LogFields& in, std::string_view field, const std::array<Value, kCount>& choices) {
  const std::string text = in.text(field);
  const auto* const found =
      std::ranges::find_if(choices, [&](Value value) { return name(value) == text; });
  if (found != choices.end()) return *found;
  in.fail(field, "not one of those known");
  return choices.front();
}

std::vector<TrainedCuts> read_cuts(LogFields& version, std::string& fault) {
  std::vector<TrainedCuts> trained;
  for (const dom::element element : version.list("cuts")) {
    LogFields in(dom::element(element), fmt::format("cuts[{}]", trained.size()), fault);
    TrainedCuts cuts;
    cuts.quantity = read_choice(in, "quantity", kQuantities);
    cuts.method = read_choice(in, "method", kCutMethods);
    cuts.bins = static_cast<int>(std::clamp<std::int64_t>(in.integer("bins"), 0, kBinsMax + 1));
    in.append("cuts", cuts.cuts);
    trained.push_back(std::move(cuts));
  }
  return trained;
}

// Format 1 had quintiles of three axes.
std::vector<TrainedCuts> read_first_cuts(LogFields in) {
  constexpr std::array<std::pair<std::string_view, Quantity>, 3> kAxes = {
      {{"recency_ms", Quantity::kRecency},
       {"frequency", Quantity::kFrequency},
       {"monetary", Quantity::kMonetary}}};
  std::vector<TrainedCuts> trained;
  if (in.flag("absolute")) return trained;
  for (const auto& [field, quantity] : kAxes) {
    trained.push_back({.quantity = quantity, .cuts = {}});
    in.append(field, trained.back().cuts);
  }
  return trained;
}

ClusterModel read_clusters(LogFields in, std::string& fault) {
  ClusterModel clusters;
  in.array("weight", clusters.weight);
  clusters.inertia_per_customer = in.real("inertia_per_customer");
  for (const dom::element element : in.list("centroids")) {
    const auto c = static_cast<std::size_t>(clusters.cluster_count++);
    if (c >= kClustersMax) continue;  // check_version says so.
    LogFields centroid(dom::element(element), in.path_of(fmt::format("centroids[{}]", c)), fault);
    const std::optional<ClusterNameCode> name = find_cluster_name(centroid.text("name"));
    if (!name) centroid.fail("name", "not one of those known");
    clusters.names.push_back(name.value_or(0));
    centroid.array("center", clusters.centroids[c]);
  }
  return clusters;
}

ChurnModel read_churn(LogFields in) {
  ChurnModel churn;
  churn.nbd_r = in.real("nbd_r");
  churn.nbd_alpha_days = in.real("nbd_alpha_days");
  churn.intercept = in.real("intercept");
  in.array("coefficient", churn.coefficient);
  in.array("mean", churn.mean);
  in.array("sd", churn.sd);
  return churn;
}

ModelVersion read_version(LogFields in, std::int64_t format, std::string& fault) {
  ModelVersion version;
  version.number = in.integer("version");
  version.trained_epoch = in.integer("trained_epoch");
  const std::int64_t effective_epoch = in.integer("effective_epoch");
  version.unchanged = in.flag("unchanged");
  version.population = in.integer("population");
  version.sample_shift =
      static_cast<int>(std::clamp<std::int64_t>(in.integer("sample_shift"), -1, 1'000));
  version.cuts_changed = in.flag("cuts_changed");
  version.churn_changed = in.flag("churn_changed");
  const auto change = std::ranges::find(kClusterChanges, in.text("cluster_change"));
  if (change == kClusterChanges.end()) {
    in.fail("cluster_change", "not one of those known");
  } else {
    version.cluster_change = static_cast<ClusterChange>(change - kClusterChanges.begin());
  }
  version.cuts = format == kFirstFormat ? read_first_cuts(in.object("cuts")) : read_cuts(in, fault);
  if (in.has("clusters")) version.clusters = read_clusters(in.object("clusters"), fault);
  if (format == kHeldFormat) {
    LogFields held = in.object("held");
    version.held.emplace();
    version.held->epoch = held.integer("trained_epoch");
    version.held->moved = held.real("moved");
    version.held->clusters = read_clusters(held.object("clusters"), fault);
  }
  if (in.has("churn")) version.churn = read_churn(in.object("churn"));
  if (in.has("empty_partitions")) in.append("empty_partitions", version.empty_partitions);
  if (!fault.empty()) return version;
  if (absl::Status status = check_version(version); !status.ok()) {
    fault = std::string(status.message());
  } else if (effective_epoch != version.trained_epoch + 1) {
    in.fail("effective_epoch", "not the epoch after trained_epoch");
  }
  return version;
}

RulesRecord read_rules(LogFields in, std::string& fault) {
  RulesRecord rules;
  rules.version = in.integer("rules");
  if (rules.version > 1) rules.effective_epoch = in.integer("effective_epoch");
  rules.first_start_ms = in.integer("first_start_ms");
  if (in.has("go_live_time")) rules.go_live_time = in.text("go_live_time");
  in.append("go_live", rules.go_live);
  if (in.has("begin")) in.append("begin", rules.begin);
  LogFields settings = in.object("settings");
  for (const std::string_view name : settings.names())
    rules.settings.emplace(name, settings.text(name));
  if (!fault.empty()) return rules;
  if (rules.version < 1) in.fail("rules", "not from 1 on");
  if (rules.effective_epoch.value_or(0) < 0) in.fail("effective_epoch", "it is negative");
  if (rules.first_start_ms < 0 || rules.first_start_ms > kLatestStartMs)
    in.fail("first_start_ms", "not a wall time in ms since 1970-01-01");
  if (std::ranges::any_of(rules.go_live, [](Offset offset) { return offset < 0; }))
    in.fail("go_live", "an offset is negative");
  if (!rules.go_live_time.empty() && !TimeReader(std::chrono::minutes{0}).read(rules.go_live_time))
    in.fail("go_live_time", "not a time");
  return rules;
}

LossRecord read_loss(LogFields in, std::string& fault) {
  LossRecord loss;
  loss.partition = static_cast<PartitionId>(in.integer("partition"));
  loss.commit_number = static_cast<std::uint64_t>(in.integer("commit"));
  loss.from = in.integer("from");
  loss.to = in.integer("to");
  loss.offsets = in.integer("offsets");
  loss.another_topic = in.flag("another_topic");
  if (in.has("changelog")) loss.changelog = in.flag("changelog");
  loss.accepted_ms = in.integer("accepted_ms");
  if (fault.empty() && std::min({loss.from, loss.to, loss.offsets}) < 0)
    in.fail("", "an offset is negative");
  return loss;
}

std::string key_of(const LossRecord& loss) {
  return fmt::format("loss/{}/{}/{}{}", loss.partition, loss.commit_number, loss.accepted_ms,
                     loss.changelog ? "/changelog" : "");
}

absl::Status damaged(std::string_view key, std::string_view fault) {
  return absl::DataLossError(fmt::format("model log: record {}: {}", key, fault));
}

// Of the numbers that records of one kind bear: 1, 2, ... after each other.
absl::Status check_order(const ModelLog& log) {
  for (std::size_t i = 0; i < log.rules.size(); ++i) {
    if (log.rules[i].version != static_cast<std::int64_t>(i) + 1)
      return absl::DataLossError(fmt::format("model log: there is no record rules/{}", i + 1));
    if (i > 0 && log.rules[i].effective_epoch < log.rules[i - 1].effective_epoch) {
      return damaged(fmt::format("rules/{}", i + 1),
                     "effective_epoch: it is before that of the version before");
    }
  }
  const ModelVersion none;
  const ModelVersion* before = &none;
  for (const ModelVersion& version : log.versions) {
    if (before != &none && before->trained_epoch + 1 != version.trained_epoch) {
      return absl::DataLossError(
          fmt::format("model log: there is no record for epoch {}, but one for {}",
                      before->trained_epoch + 1, version.trained_epoch));
    }
    const absl::Status follows = check_successor(*before, version);
    if (!follows.ok())
      return damaged(fmt::format("version/{}", version.trained_epoch),
                     std::string(follows.message()));
    before = &version;
  }
  return absl::OkStatus();
}

}  // namespace

ModelLogRecord encode_loss(const LossRecord& loss) {
  TextBuffer buffer;
  JsonText out(buffer);
  out.begin_object();
  out.key("format").integer(kLossFormat);
  out.key("partition").integer(loss.partition);
  out.key("commit").integer(static_cast<std::int64_t>(loss.commit_number));
  out.key("from").integer(loss.from);
  out.key("to").integer(loss.to);
  out.key("offsets").integer(loss.offsets);
  out.key("another_topic").boolean(loss.another_topic);
  if (loss.changelog) out.key("changelog").boolean(true);
  out.key("accepted_ms").integer(loss.accepted_ms);
  out.end_object();
  return {key_of(loss), std::string(buffer.view())};
}

ModelLogRecord encode_version(const ModelVersion& version) {
  TextBuffer buffer;
  JsonText out(buffer);
  out.begin_object();
  out.key("format").integer(version.held ? kHeldFormat : kFormat);
  out.key("version").integer(version.number);
  out.key("trained_epoch").integer(version.trained_epoch);
  out.key("effective_epoch").integer(version.trained_epoch + 1);
  out.key("unchanged").boolean(version.unchanged);
  out.key("population").integer(version.population);
  out.key("sample_shift").integer(version.sample_shift);
  out.key("cuts_changed").boolean(version.cuts_changed);
  out.key("cluster_change").text(kClusterChanges[static_cast<std::size_t>(version.cluster_change)]);
  out.key("churn_changed").boolean(version.churn_changed);
  write_cuts(out, version.cuts);
  if (version.clusters) write_clusters(out, *version.clusters);
  if (version.held) write_held(out, *version.held);
  if (version.churn) write_churn(out, *version.churn);
  if (!version.empty_partitions.empty())
    integers(out, "empty_partitions", version.empty_partitions);
  out.end_object();
  return {fmt::format("version/{}", version.trained_epoch), std::string(buffer.view())};
}

ModelLogRecord encode_rules(const RulesRecord& rules) {
  TextBuffer buffer;
  JsonText out(buffer);
  out.begin_object();
  out.key("format").integer(rules.version > 1 ? kLaterRulesFormat : kFormat);
  out.key("rules").integer(rules.version);
  if (rules.effective_epoch) out.key("effective_epoch").integer(*rules.effective_epoch);
  out.key("settings").begin_object();
  for (const auto& [name, value] : rules.settings) out.name(name).text(value);
  out.end_object();
  integers(out, "go_live", rules.go_live);
  if (!rules.begin.empty()) integers(out, "begin", rules.begin);
  if (!rules.go_live_time.empty()) out.key("go_live_time").text(rules.go_live_time);
  out.key("first_start_ms").integer(rules.first_start_ms);
  out.end_object();
  return {fmt::format("rules/{}", rules.version), std::string(buffer.view())};
}

absl::StatusOr<ModelLog> decode_model_log(const std::vector<ModelLogRecord>& records) {
  std::map<std::string_view, std::string_view> known;
  std::map<std::int64_t, RulesRecord> rules;
  std::map<std::int64_t, ModelVersion> versions;
  std::map<std::tuple<PartitionId, std::uint64_t, std::int64_t, bool>, LossRecord> losses;
  dom::parser parser;
  for (const ModelLogRecord& record : records) {
    const auto [same, is_new] = known.emplace(record.key, record.value);
    if (!is_new && same->second != record.value)
      return damaged(record.key, "it is there twice, with different contents");
    dom::element json;
    if (parser.parse(record.value).get(json)) return damaged(record.key, "not JSON");
    std::string fault;
    LogFields in(dom::element(json), "", fault);
    const std::int64_t format = in.integer("format");
    const bool is_loss = record.key.starts_with("loss/");
    const bool is_later_rules = record.key.starts_with("rules/") && record.key != "rules/1";
    const bool is_version = record.key.starts_with("version/");
    const int known_format = is_loss          ? kLossFormat
                             : is_later_rules ? kLaterRulesFormat
                             : is_version     ? kHeldFormat
                                              : kFormat;
    if (fault.empty() && format > known_format) {
      return absl::UnimplementedError(fmt::format(
          "model log: record {} was written by a newer version of this program: start that one",
          record.key));
    }
    const bool is_older = format == kFirstFormat || (is_version && format == kFormat);
    if (format != known_format && (is_loss || is_later_rules || !is_older))
      in.fail("format", fmt::format("not {}", known_format));
    std::string key;
    if (is_loss) {
      const LossRecord read = read_loss(in, fault);
      key = key_of(read);
      losses.emplace(
          std::tuple(read.partition, read.commit_number, read.accepted_ms, read.changelog), read);
    } else if (record.key.starts_with("rules/")) {
      RulesRecord read = read_rules(in, fault);
      key = fmt::format("rules/{}", read.version);
      rules.insert_or_assign(read.version, std::move(read));
    } else if (is_version) {
      ModelVersion read = read_version(in, format, fault);
      key = fmt::format("version/{}", read.trained_epoch);
      versions.insert_or_assign(read.trained_epoch, std::move(read));
    } else {
      in.fail("", "its key begins with neither rules/ nor version/ nor loss/");
    }
    if (fault.empty() && key != record.key) in.fail("", fmt::format("it says that it is {}", key));
    if (!fault.empty()) return damaged(record.key, fault);
  }
  ModelLog log;
  for (const auto& [place, loss] : losses) log.losses.push_back(loss);
  for (auto& [version, record] : rules) log.rules.push_back(std::move(record));
  for (auto& [epoch, version] : versions) log.versions.push_back(std::move(version));
  if (absl::Status ordered = check_order(log); !ordered.ok()) return ordered;
  return log;
}

absl::StatusOr<std::vector<ModelLogRecord>> read_model_log(StateStore& store) {
  std::vector<ModelLogRecord> records;
  const absl::Status read =
      store.scan(StoreKind::kModelLog, 0, [&](std::string_view key, std::string_view value) {
        records.push_back({std::string(key), std::string(value)});
        return absl::OkStatus();
      });
  if (!read.ok()) return read;
  return records;
}

}  // namespace rfm
