#include "stream/model_log.h"

#include <fmt/core.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace rfm {
namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;
using Value = rapidjson::Value;

constexpr int kFormat = 1;
constexpr std::array<std::string_view, 5> kClusterChanges = {"none", "first_fit", "moved", "refit",
                                                             "challenger"};

void key(Writer& out, std::string_view name) {
  out.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
}

void text(Writer& out, std::string_view value) {
  out.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

// The shortest text that reads back as the same double.
void number(Writer& out, double value) {
  const std::string digits = fmt::format("{}", value);
  out.RawValue(digits.data(), digits.size(), rapidjson::kNumberType);
}

template <class Numbers>
void integers(Writer& out, std::string_view name, const Numbers& values) {
  key(out, name);
  out.StartArray();
  for (const auto value : values) out.Int64(value);
  out.EndArray();
}

template <class Numbers>
void numbers(Writer& out, std::string_view name, const Numbers& values) {
  key(out, name);
  out.StartArray();
  for (const double value : values) number(out, value);
  out.EndArray();
}

void write_cuts(Writer& out, const ScoreCuts& cuts) {
  key(out, "cuts");
  out.StartObject();
  integers(out, "recency_ms", cuts.recency_ms);
  integers(out, "frequency", cuts.frequency);
  integers(out, "monetary", cuts.monetary);
  key(out, "absolute");
  out.Bool(cuts.absolute);
  out.EndObject();
}

void write_clusters(Writer& out, const ClusterModel& clusters) {
  key(out, "clusters");
  out.StartObject();
  numbers(out, "weight", clusters.weight);
  key(out, "centroids");
  out.StartArray();
  for (std::size_t c = 0; c < static_cast<std::size_t>(clusters.cluster_count); ++c) {
    out.StartObject();
    key(out, "name");
    text(out, clusters.names[c]);
    numbers(out, "center", clusters.centroids[c]);
    out.EndObject();
  }
  out.EndArray();
  key(out, "inertia_per_customer");
  number(out, clusters.inertia_per_customer);
  out.EndObject();
}

void write_churn(Writer& out, const ChurnModel& churn) {
  key(out, "churn");
  out.StartObject();
  key(out, "nbd_r");
  number(out, churn.nbd_r);
  key(out, "nbd_alpha_days");
  number(out, churn.nbd_alpha_days);
  key(out, "intercept");
  number(out, churn.intercept);
  numbers(out, "coefficient", churn.coefficient);
  numbers(out, "mean", churn.mean);
  numbers(out, "sd", churn.sd);
  out.EndObject();
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
      !go_live->IsArray()) {
    return std::nullopt;
  }
  for (const auto& [name, value] : settings->GetObject()) {
    if (!value.IsString()) return std::nullopt;
    rules.settings.emplace(std::string(name.GetString(), name.GetStringLength()),
                           std::string(value.GetString(), value.GetStringLength()));
  }
  for (const Value& offset : go_live->GetArray()) {
    if (!offset.IsInt64()) return std::nullopt;
    rules.go_live.push_back(offset.GetInt64());
  }
  return rules;
}

}  // namespace

ModelLogRecord encode_version(const ModelVersion& version) {
  rapidjson::StringBuffer buffer;
  Writer out(buffer);
  out.StartObject();
  key(out, "format");
  out.Int(kFormat);
  key(out, "version");
  out.Int64(version.number);
  key(out, "trained_epoch");
  out.Int64(version.trained_epoch);
  key(out, "effective_epoch");
  out.Int64(version.trained_epoch + 1);
  key(out, "unchanged");
  out.Bool(version.unchanged);
  key(out, "population");
  out.Int64(version.population);
  key(out, "sample_shift");
  out.Int(version.sample_shift);
  key(out, "cuts_changed");
  out.Bool(version.cuts_changed);
  key(out, "cluster_change");
  text(out, kClusterChanges[static_cast<std::size_t>(version.cluster_change)]);
  key(out, "churn_changed");
  out.Bool(version.churn_changed);
  write_cuts(out, version.cuts);
  if (version.clusters) write_clusters(out, *version.clusters);
  if (version.churn) write_churn(out, *version.churn);
  out.EndObject();
  return {fmt::format("version/{}", version.trained_epoch), {buffer.GetString(), buffer.GetSize()}};
}

ModelLogRecord encode_rules(const RulesRecord& rules) {
  rapidjson::StringBuffer buffer;
  Writer out(buffer);
  out.StartObject();
  key(out, "format");
  out.Int(kFormat);
  key(out, "rules");
  out.Int64(rules.version);
  key(out, "settings");
  out.StartObject();
  for (const auto& [name, value] : rules.settings) {
    key(out, name);
    text(out, value);
  }
  out.EndObject();
  integers(out, "go_live", rules.go_live);
  if (!rules.go_live_time.empty()) {
    key(out, "go_live_time");
    text(out, rules.go_live_time);
  }
  key(out, "first_start_ms");
  out.Int64(rules.first_start_ms);
  out.EndObject();
  return {fmt::format("rules/{}", rules.version), {buffer.GetString(), buffer.GetSize()}};
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

}  // namespace rfm
