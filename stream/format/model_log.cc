#include "stream/format/model_log.h"

#include <fmt/core.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "stream/text/json_text.h"

namespace rfm {
namespace {

using Value = rapidjson::Value;

constexpr int kFormat = 1;
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

void write_cuts(JsonText& out, const ScoreCuts& cuts) {
  out.key("cuts").begin_object();
  integers(out, "recency_ms", cuts.recency_ms);
  integers(out, "frequency", cuts.frequency);
  integers(out, "monetary", cuts.monetary);
  out.key("absolute").boolean(cuts.absolute);
  out.end_object();
}

void write_clusters(JsonText& out, const ClusterModel& clusters) {
  out.key("clusters").begin_object();
  numbers(out, "weight", clusters.weight);
  out.key("centroids").begin_array();
  for (std::size_t c = 0; c < static_cast<std::size_t>(clusters.cluster_count); ++c) {
    out.begin_object();
    out.key("name").text(clusters.names[c]);
    numbers(out, "center", clusters.centroids[c]);
    out.end_object();
  }
  out.end_array();
  number(out.key("inertia_per_customer"), clusters.inertia_per_customer);
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

// Reading: what is missing or of another type leaves `ok` false.
class Fields {
 public:
  explicit Fields(const Value& object) : object_(object) { ok = object.IsObject(); }

  const Value* find(const char* name) {
    if (!object_.IsObject()) return nullptr;
    const auto member = object_.FindMember(name);
    return member == object_.MemberEnd() ? nullptr : &member->value;
  }
  std::int64_t integer(const char* name) {
    const Value* value = find(name);
    if (value == nullptr || !value->IsInt64()) return fail<std::int64_t>();
    return value->GetInt64();
  }
  double real(const char* name) {
    const Value* value = find(name);
    if (value == nullptr || !value->IsNumber()) return fail<double>();
    return value->GetDouble();
  }
  bool flag(const char* name) {
    const Value* value = find(name);
    if (value == nullptr || !value->IsBool()) return fail<bool>();
    return value->GetBool();
  }
  std::string string(const char* name) {
    const Value* value = find(name);
    if (value == nullptr || !value->IsString()) return fail<std::string>();
    return {value->GetString(), value->GetStringLength()};
  }
  template <class Number, std::size_t kSize>
  void array(const char* name, std::array<Number, kSize>& out) {
    const Value* value = find(name);
    if (value == nullptr || !value->IsArray() || value->Size() != kSize) {
      ok = false;
      return;
    }
    for (std::size_t i = 0; i < kSize; ++i) {
      const Value& item = (*value)[static_cast<rapidjson::SizeType>(i)];
      if (!item.IsNumber()) {
        ok = false;
        return;
      }
      out[i] = item.Get<Number>();
    }
  }

  bool ok = true;

 private:
  template <class T>
  T fail() {
    ok = false;
    return T{};
  }

  const Value& object_;
};

bool read_cuts(const Value& json, ScoreCuts& cuts) {
  Fields in(json);
  in.array("recency_ms", cuts.recency_ms);
  in.array("frequency", cuts.frequency);
  in.array("monetary", cuts.monetary);
  cuts.absolute = in.flag("absolute");
  return in.ok;
}

bool read_clusters(const Value& json, ClusterModel& clusters) {
  Fields in(json);
  in.array("weight", clusters.weight);
  clusters.inertia_per_customer = in.real("inertia_per_customer");
  const Value* centroids = in.find("centroids");
  if (centroids == nullptr || !centroids->IsArray() || centroids->Size() > kClustersMax)
    return false;
  clusters.cluster_count = static_cast<int>(centroids->Size());
  for (rapidjson::SizeType c = 0; c < centroids->Size(); ++c) {
    Fields centroid((*centroids)[c]);
    clusters.names.push_back(centroid.string("name"));
    centroid.array("center", clusters.centroids[c]);
    if (!centroid.ok) return false;
  }
  return in.ok;
}

bool read_churn(const Value& json, ChurnModel& churn) {
  Fields in(json);
  churn.nbd_r = in.real("nbd_r");
  churn.nbd_alpha_days = in.real("nbd_alpha_days");
  churn.intercept = in.real("intercept");
  in.array("coefficient", churn.coefficient);
  in.array("mean", churn.mean);
  in.array("sd", churn.sd);
  return in.ok;
}

template <class Integer>
bool read_integers(const Value& json, std::vector<Integer>& out) {
  if (!json.IsArray()) return false;
  for (const Value& item : json.GetArray()) {
    if (!item.Is<Integer>()) return false;
    out.push_back(item.Get<Integer>());
  }
  return true;
}

std::optional<ModelVersion> read_version(const Value& json) {
  Fields in(json);
  ModelVersion version;
  version.number = in.integer("version");
  version.trained_epoch = in.integer("trained_epoch");
  version.unchanged = in.flag("unchanged");
  version.population = in.integer("population");
  version.sample_shift = static_cast<int>(in.integer("sample_shift"));
  version.cuts_changed = in.flag("cuts_changed");
  version.churn_changed = in.flag("churn_changed");
  const auto change = std::ranges::find(kClusterChanges, in.string("cluster_change"));
  if (change == kClusterChanges.end()) return std::nullopt;
  version.cluster_change = static_cast<ClusterChange>(change - kClusterChanges.begin());
  const Value* cuts = in.find("cuts");
  if (cuts == nullptr || !read_cuts(*cuts, version.cuts)) return std::nullopt;
  if (const Value* clusters = in.find("clusters")) {
    if (!read_clusters(*clusters, version.clusters.emplace())) return std::nullopt;
  }
  if (const Value* churn = in.find("churn")) {
    if (!read_churn(*churn, version.churn.emplace())) return std::nullopt;
  }
  if (const Value* partitions = in.find("empty_partitions")) {
    if (!read_integers(*partitions, version.empty_partitions)) return std::nullopt;
  }
  return in.ok ? std::optional(std::move(version)) : std::nullopt;
}

std::optional<RulesRecord> read_rules(const Value& json) {
  Fields in(json);
  RulesRecord rules;
  rules.version = in.integer("rules");
  rules.first_start_ms = in.integer("first_start_ms");
  if (in.find("go_live_time") != nullptr) rules.go_live_time = in.string("go_live_time");
  const Value* settings = in.find("settings");
  const Value* go_live = in.find("go_live");
  if (!in.ok || settings == nullptr || !settings->IsObject() || go_live == nullptr ||
      !read_integers(*go_live, rules.go_live)) {
    return std::nullopt;
  }
  for (const auto& [name, value] : settings->GetObject()) {
    if (!value.IsString()) return std::nullopt;
    rules.settings.emplace(std::string(name.GetString(), name.GetStringLength()),
                           std::string(value.GetString(), value.GetStringLength()));
  }
  return rules;
}

}  // namespace

ModelLogRecord encode_version(const ModelVersion& version) {
  TextBuffer buffer;
  JsonText out(buffer);
  out.begin_object();
  out.key("format").integer(kFormat);
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
  out.key("format").integer(kFormat);
  out.key("rules").integer(rules.version);
  out.key("settings").begin_object();
  for (const auto& [name, value] : rules.settings) out.name(name).text(value);
  out.end_object();
  integers(out, "go_live", rules.go_live);
  if (!rules.go_live_time.empty()) out.key("go_live_time").text(rules.go_live_time);
  out.key("first_start_ms").integer(rules.first_start_ms);
  out.end_object();
  return {fmt::format("rules/{}", rules.version), std::string(buffer.view())};
}

absl::StatusOr<ModelLog> decode_model_log(const std::vector<ModelLogRecord>& records) {
  std::map<std::int64_t, RulesRecord> rules;
  std::map<std::int64_t, ModelVersion> versions;
  for (const ModelLogRecord& record : records) {
    rapidjson::Document json;
    json.Parse<rapidjson::kParseFullPrecisionFlag>(record.value.data(), record.value.size());
    const auto damaged = [&] {
      return absl::DataLossError(
          fmt::format("model log: record {} is not one the trainer writes", record.key));
    };
    if (json.HasParseError() || !json.IsObject()) return damaged();
    Fields in(json);
    if (in.integer("format") > kFormat) {
      return absl::UnimplementedError(fmt::format(
          "model log: record {} was written by a newer version of this program: start that one",
          record.key));
    }
    if (record.key.starts_with("rules/")) {
      std::optional<RulesRecord> read = read_rules(json);
      if (!read) return damaged();
      rules.insert_or_assign(read->version, std::move(*read));
    } else {
      std::optional<ModelVersion> read = read_version(json);
      if (!read) return damaged();
      versions.insert_or_assign(read->trained_epoch, std::move(*read));
    }
  }
  ModelLog log;
  for (auto& [version, record] : rules) log.rules.push_back(std::move(record));
  for (auto& [epoch, version] : versions) {
    if (!log.versions.empty() && log.versions.back().trained_epoch + 1 != epoch) {
      return absl::DataLossError(
          fmt::format("model log: there is no record for epoch {}, but one for {}",
                      log.versions.back().trained_epoch + 1, epoch));
    }
    log.versions.push_back(std::move(version));
  }
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
