// Goal: every setting reads back as it was written, and a wrong one is refused with its place and
// what is allowed.
#include "config/settings.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "config/checked_settings.h"
#include "config/options.h"

namespace rfm {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

std::string error_of(const absl::Status& status) { return std::string(status.message()); }

std::string toml_error(std::string_view toml) {
  Settings settings;
  const absl::Status status = settings.merge_toml(toml, "a.toml");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << toml;
  return error_of(status);
}

std::string set_error(std::string_view assignment) {
  Settings settings;
  const absl::Status status = settings.set(assignment);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << assignment;
  return error_of(status);
}

TEST(Settings, DefaultsAreCanonicalAndConsistent) {
  const Settings defaults;
  ASSERT_TRUE(check_settings(defaults).ok());
  for (const SettingSpec& spec : setting_table()) {
    Settings settings;
    const absl::Status status =
        settings.assign(spec.key, spec.default_text, SettingOrigin::kOverride, "test");
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(settings.text(spec.key), spec.default_text) << spec.key;
    EXPECT_FALSE(spec.description.empty()) << spec.key;
  }
}

TEST(Settings, EveryKeyRoundTripsThroughTheDocumentedDefaults) {
  Settings settings;
  const absl::Status status = settings.merge_toml(documented_defaults(), "default.toml");
  ASSERT_TRUE(status.ok()) << status;
  for (const EffectiveSetting& setting : settings.effective()) {
    EXPECT_EQ(setting.origin, SettingOrigin::kFile) << setting.key;
    EXPECT_FALSE(setting.is_changed) << setting.key << " = " << setting.text;
  }
  EXPECT_EQ(settings.semantic(), Settings().semantic());
}

TEST(Settings, DefaultTomlIsTheDocumentedDefaults) {
  const char* const source = std::getenv("RFM_SOURCE_DIR");
  ASSERT_NE(source, nullptr);
  const std::string path = std::string(source) + "/config/default.toml";
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path) << documented_defaults();
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), documented_defaults()) << "UPDATE_GOLDEN=1 rewrites it";
}

TEST(Settings, EveryKeyRoundTripsThroughSet) {
  for (const SettingSpec& spec : setting_table()) {
    Settings settings;
    ASSERT_TRUE(settings.set(std::string(spec.key) + "=" + std::string(spec.default_text)).ok())
        << spec.key;
    EXPECT_EQ(settings.text(spec.key), spec.default_text);
  }
}

TEST(Settings, LaterSourcesWin) {
  Settings settings;
  ASSERT_TRUE(settings.merge_toml("[input]\nlateness = \"2m\"\nsettle = \"5s\"\n", "a.toml").ok());
  ASSERT_TRUE(settings.set("input.lateness=90s").ok());
  EXPECT_EQ(settings.duration("input.lateness"), milliseconds{90'000});
  EXPECT_EQ(settings.duration("input.settle"), milliseconds{5'000});
  for (const EffectiveSetting& setting : settings.effective()) {
    if (setting.key == "input.lateness") {
      EXPECT_EQ(setting.origin, SettingOrigin::kOverride);
    } else if (setting.key == "input.settle") {
      EXPECT_EQ(setting.where, "a.toml:3");
    } else {
      EXPECT_EQ(setting.origin, SettingOrigin::kDefault) << setting.key;
    }
  }
}

// Whoever holds the token may send one.
TEST(Settings, AKeyOfVeryManyPartsIsRefusedAndEndsNothing) {
  std::string key = "a";
  for (int i = 0; i < 30'000; ++i) key += ".a";
  for (const std::string& toml :
       {key + " = 1\n", "[" + key + "]\n", "[[" + key + "]]\n", "x = {" + key + " = 1}\n",
        "x = [\n\"\"\"a\"\"\"\"\", {" + key + " = 1}]\n", "x = '\\'\n" + key + " = 1\n",
        "# \"\n" + key + " = 1\n", "x = \"\\\"\"\n\"b\"." + key + " = 1\n"}) {
    Settings settings;
    const absl::Status status = settings.merge_toml(toml, "a.toml");
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    EXPECT_NE(status.message().find("a key of more than 16 parts"), std::string::npos)
        << status.message().substr(0, 200);
  }
}

// Dots in strings, comments and numbers are of no key.
TEST(Settings, ManyDotsAreNoManyParts) {
  const std::string dots(100, '.');
  std::string cuts = "1.5";
  for (int i = 2; i < 60; ++i) cuts += fmt::format(", {}.5", i);
  Settings settings;
  const absl::Status status = settings.merge_toml(
      fmt::format("# {0}\n[state]\ndir = \"{0}\" # {0}\n[kafka]\nbrokers = '{0}'\n[app]\nname = "
                  "\"\"\"a\\\n{0}\"\"\"\n[no]\ncuts = [{1}]\n",
                  dots, cuts),
      "a.toml");
  EXPECT_EQ(status.message().find("parts"), std::string::npos) << status;
  EXPECT_NE(status.message().find("no.cuts"), std::string::npos) << status;
}

TEST(Settings, TextIsCanonical) {
  const auto canonical = [](std::string_view assignment) {
    Settings settings;
    EXPECT_TRUE(settings.set(assignment).ok()) << assignment;
    return settings.text(assignment.substr(0, assignment.find('=')));
  };
  EXPECT_EQ(canonical("input.lateness=60000ms"), "1m");
  EXPECT_EQ(canonical("input.lateness=0h"), "0s");
  EXPECT_EQ(canonical("dedup.horizon=9600h"), "400d");
  EXPECT_EQ(canonical("dedup.horizon=2w"), "14d");
  EXPECT_EQ(canonical("input.record_max=1024KiB"), "1MiB");
  EXPECT_EQ(canonical("input.utc_offset=Z"), "+00:00");
  EXPECT_EQ(canonical("model.move_min=0.0200"), "0.02");
  EXPECT_EQ(canonical("model.move_min=.5"), "0.5");
  EXPECT_EQ(canonical("rfm.window=8760h"), "365d");
}

TEST(Settings, UnknownKeysAreRefusedWithASuggestion) {
  EXPECT_EQ(toml_error("[rfm]\n\nmonetery = \"net\"\n"),
            "a.toml:3: unknown setting rfm.monetery; did you mean rfm.monetary? (\"rfmstream "
            "config show\" lists all "
            "settings)");
  EXPECT_NE(set_error("model.cluster=4").find("did you mean model.clusters?"), std::string::npos);
  EXPECT_NE(set_error("lateness=4s").find("did you mean input.lateness?"), std::string::npos);
  EXPECT_NE(set_error("inptu.lateness=4s").find("did you mean input.lateness?"), std::string::npos);
  EXPECT_EQ(set_error("xyzzy=4").find("did you mean"), std::string::npos);
  EXPECT_NE(toml_error("[inptu]\n").find("unknown setting inptu"), std::string::npos);
}

TEST(Settings, WrongValuesNameKeyValueAndWhatIsAllowed) {
  EXPECT_EQ(set_error("rfm.monetary=brutto"),
            "--set: rfm.monetary = brutto is refused; allowed: net, gross");
  EXPECT_EQ(toml_error("[model]\nclusters = 17"),
            "a.toml:2: model.clusters = 17 is refused; allowed: a whole number from 2 to 16");
  EXPECT_EQ(
      toml_error("[model]\nclusters = \"5\""),
      "a.toml:2: model.clusters = 5 is refused; it is text; allowed: a whole number from 2 to 16");
  for (const std::string_view wrong : {"input.lateness=60",
                                       "input.lateness=-1s",
                                       "input.lateness=31d",
                                       "input.lateness=1.5s",
                                       "input.lateness=s",
                                       "input.lateness=99999999999999999999s",
                                       "input.lateness=9223372036854775807d",
                                       "input.record_max=5",
                                       "input.record_max=5MB",
                                       "input.record_max=1GiB",
                                       "input.currency=gbp",
                                       "input.utc_offset=+1:00",
                                       "input.utc_offset=+19:00",
                                       "input.utc_offset=+01:60",
                                       "input.topic=a b",
                                       "input.topic=..",
                                       "input.fields.total=total",
                                       "input.fields.total=/a~2",
                                       "model.move_min=nan",
                                       "model.move_min=2",
                                       "rfm.window=forever",
                                       "state.dir=",
                                       "noequals",
                                       "=x"}) {
    EXPECT_NE(set_error(wrong).find("allowed"), std::string::npos) << wrong;
  }
}

TEST(Settings, AnAddressToListenAtMayBeEmpty) {
  Settings settings;
  ASSERT_TRUE(settings.set("admin.listen=").ok());
  EXPECT_EQ(settings.text("admin.listen"), "");
  ASSERT_TRUE(settings.set("admin.listen=[::1]:0").ok());
  const std::string refused = set_error("admin.listen=7367");
  EXPECT_NE(refused.find("admin.listen"), std::string::npos) << refused;
  EXPECT_NE(refused.find("HOST:PORT"), std::string::npos) << refused;
}

TEST(Settings, SecretsAreNotShown) {
  Settings settings;
  ASSERT_TRUE(settings.set("kafka.properties.sasl.password=hunter2").ok());
  std::string shown;
  for (const EffectiveSetting& setting : settings.effective()) shown += shown_text(setting);
  EXPECT_EQ(shown.find("hunter2"), std::string::npos);
  EXPECT_NE(shown.find("(not shown)"), std::string::npos);
}

TEST(Settings, WrongTypesAreRefused) {
  for (const std::string_view wrong :
       {"app.name = 5", "input.lateness = 60", "model.move_min = \"0.1\"",
        "segmentation.rfm.map = 1", "input = 3", "app.name.x = 1", "kafka.properties.x = [1]",
        "model.clusters = 5.0"}) {
    toml_error(wrong);
  }
  EXPECT_NE(toml_error("[model\n").find("a.toml:1"), std::string::npos);
}

TEST(Settings, ChecksAcrossKeys) {
  const auto load_error = [](const std::vector<std::string>& overrides) {
    return error_of(load_settings(std::nullopt, {}, overrides).status());
  };
  EXPECT_NE(load_error({"model.population_off=501"}).find("model.population_on, which is 500"),
            std::string::npos);
  EXPECT_NE(load_error({"rfm.window=401d"}).find("dedup.horizon, which is 400d"),
            std::string::npos);
  EXPECT_NE(load_error({"commit.interval=1s"}).find("commit.interval_behind"), std::string::npos);
  EXPECT_EQ(load_error({"rfm.window=400d"}), "");
  EXPECT_NE(load_error({"commit.interval_behind=6s"}).find("kafka.transaction_timeout"),
            std::string::npos);
  EXPECT_EQ(load_error({"commit.interval_behind=5s"}), "");
  EXPECT_NE(load_error({"output.segments=segment-transitions"}).find("is output.transitions"),
            std::string::npos);
  EXPECT_NE(load_error({"app.name=shop", "input.topic=shop-model"}).find("is for the model log"),
            std::string::npos);
  EXPECT_NE(load_error({"kafka.properties.acks=1"}).find("acks cannot be set"), std::string::npos);
}

TEST(Settings, MissingFileIsNamed) {
  const absl::StatusOr<Settings> settings = load_settings("/nonexistent/a.toml", {}, {});
  EXPECT_NE(error_of(settings.status()).find("/nonexistent/a.toml"), std::string::npos);
}

TEST(Settings, KafkaPropertiesPassThrough) {
  Settings settings;
  ASSERT_TRUE(settings
                  .merge_toml("[kafka.properties]\nfetch.min.bytes = 7\n\"check.crcs\" = true\n"
                              "security.protocol = \"ssl\"\n",
                              "a.toml")
                  .ok());
  ASSERT_TRUE(settings.set("kafka.properties.linger.ms=5").ok());
  const std::map<std::string, std::string> expected = {{"fetch.min.bytes", "7"},
                                                       {"check.crcs", "true"},
                                                       {"security.protocol", "ssl"},
                                                       {"linger.ms", "5"}};
  EXPECT_EQ(settings.passthrough("kafka.properties."), expected);
  EXPECT_TRUE(settings.passthrough("kafka.nothing.").empty());
}

TEST(Settings, SemanticSettingsRebuildTheRules) {
  Settings settings;
  ASSERT_TRUE(settings.set("rfm.monetary=gross").ok());
  ASSERT_TRUE(settings.set("app.name=other").ok());
  const std::map<std::string, std::string> semantic = settings.semantic();
  EXPECT_FALSE(semantic.contains("app.name"));
  EXPECT_FALSE(semantic.contains("input.topic"));
  EXPECT_TRUE(semantic.contains("model.seed"));
  EXPECT_TRUE(semantic.contains("output.holdout"));
  const absl::StatusOr<Settings> rebuilt = logged_settings(semantic);
  ASSERT_TRUE(rebuilt.ok()) << rebuilt.status();
  EXPECT_EQ(rebuilt->semantic(), semantic);
  EXPECT_EQ(rebuilt->text("app.name"), "rfmstream");
}

TEST(Settings, OtherRulesThanLoggedAreRefused) {
  Settings logged;
  Settings given;
  ASSERT_TRUE(logged.set("model.clusters=4").ok());
  ASSERT_TRUE(given.set("input.topic=elsewhere").ok());
  const absl::Status refused = given.check_same_rules(logged.semantic(), "Do this.");
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(refused.message().find("model.clusters: 4 in the model log, 5 here\nDo this.") !=
              std::string::npos)
      << refused;

  std::map<std::string, std::string> older = given.semantic();
  older.erase("model.seed");  // A log of before this setting existed.
  EXPECT_TRUE(given.check_same_rules(older, "").ok());
  older["model.unheard_of"] = "1";
  EXPECT_FALSE(given.check_same_rules(older, "").ok());
  EXPECT_FALSE(logged_settings(older).ok());
}

TEST(Settings, TheEnvironmentWinsOverTheFileAndTheCommandLineOverBoth) {
  const absl::StatusOr<Settings> settings = load_settings(
      std::nullopt,
      {"PATH=/bin", "RFMSTREAM_KAFKA__BROKERS=a:1", "RFMSTREAM_INPUT__RECORD_MAX=2MiB",
       "RFMSTREAM_KAFKA__PROPERTIES__SASL__PASSWORD=x=y", "RFMSTREAM_APP__NAME=shop"},
      {"app.name=other"});
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->text("kafka.brokers"), "a:1");
  EXPECT_EQ(settings->bytes("input.record_max"), 2 << 20);
  EXPECT_EQ(settings->passthrough("kafka.properties.").at("sasl.password"), "x=y");
  EXPECT_EQ(settings->text("app.name"), "other");
  for (const EffectiveSetting& setting : settings->effective()) {
    if (setting.key != "kafka.brokers") continue;
    EXPECT_EQ(setting.origin, SettingOrigin::kEnvironment);
    EXPECT_EQ(setting.where, "RFMSTREAM_KAFKA__BROKERS");
  }
}

TEST(Settings, AnUnknownVariableIsRefusedWithTheNearestName) {
  const absl::Status refused =
      load_settings(std::nullopt, {"RFMSTREAM_KAFKA__BROKER=a:1"}, {}).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(refused.message().find("RFMSTREAM_KAFKA__BROKER: "), absl::string_view::npos);
  EXPECT_NE(refused.message().find("kafka.brokers"), absl::string_view::npos);
}

}  // namespace
}  // namespace rfm
