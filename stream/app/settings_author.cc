#include "stream/app/settings_author.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "config/checked_settings.h"
#include "config/rules_change.h"
#include "stream/app/rules_log.h"
#include "stream/app/settings_rules.h"
#include "stream/text/utf8.h"

namespace rfm {
namespace {

// A service that runs takes a request up within seconds; one that is refused is not waited for.
constexpr std::chrono::seconds kAskedMax{30};
constexpr std::size_t kTokenBytesMin = 16;
constexpr std::size_t kTokenBytesMax = 1'024;

// The newest rules with what `toml` says of them.
absl::StatusOr<Settings> changed_settings(const RulesRecord& newest, std::string_view toml) {
  if (!is_utf8(toml)) return absl::InvalidArgumentError("the body is not UTF-8");
  absl::StatusOr<Settings> settings = logged_settings(newest.settings);
  if (!settings.ok()) return settings;
  if (const absl::Status read = settings->merge_toml(toml, "line"); !read.ok()) return read;
  for (const EffectiveSetting& setting : settings->effective()) {
    if (setting.origin != SettingOrigin::kFile) continue;
    if (setting.spec == nullptr || setting.spec->scope != SettingScope::kSemantic) {
      return settings->refuse(setting.key,
                              "it is no rule: allowed is what changes state or transitions, such "
                              "as segmentation.NAME, action and model");
    }
  }
  if (const absl::Status whole = check_settings(*settings); !whole.ok()) return whole;
  return settings;
}

}  // namespace

absl::StatusOr<std::string> read_admin_token(const Settings& settings) {
  const std::string& path = settings.text("admin.token_file");
  if (path.empty()) return std::string();
  std::ifstream file(path, std::ios::binary);
  if (!file) return settings.refuse("admin.token_file", "there is no such file that can be read");
  using std::filesystem::perms;
  std::error_code error;
  const perms others = std::filesystem::status(path, error).permissions();
  if ((others & (perms::group_write | perms::others_write)) != perms::none) {
    return settings.refuse("admin.token_file",
                           "others than its owner can write it: `chmod 0400` it");
  }
  if ((others & perms::others_read) != perms::none)
    spdlog::warn("admin.token_file {}: everybody on this machine can read it; `chmod 0400` it",
                 path);
  std::string token(kTokenBytesMax + 1, '\0');
  file.read(token.data(), static_cast<std::streamsize>(token.size()));
  token.resize(static_cast<std::size_t>(file.gcount()));
  while (token.ends_with('\n') || token.ends_with('\r')) token.pop_back();
  const auto is_visible = [](char c) { return c > ' ' && c <= '~'; };
  if (token.size() >= kTokenBytesMin && token.size() <= kTokenBytesMax &&
      std::ranges::all_of(token, is_visible))
    return token;
  return settings.refuse(
      "admin.token_file",
      fmt::format("it is to hold one line of {} to {} visible ASCII characters, such as `openssl "
                  "rand -hex 32` makes",
                  kTokenBytesMin, kTokenBytesMax));
}

absl::StatusOr<std::vector<RulesRecord>> SettingsAuthor::log() const {
  return stored_.empty() ? read_rules_log({}, settings_) : stored_;
}

absl::StatusOr<RulesProposal> SettingsAuthor::propose(std::string_view toml) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return absl::UnavailableError("somebody else asks for rules at this moment");
  const absl::StatusOr<std::vector<RulesRecord>> records = log();
  if (!records.ok()) return records.status();
  const RulesRecord& newest = records->back();
  const absl::StatusOr<Settings> changed = changed_settings(newest, toml);
  if (!changed.ok()) return changed.status();
  SettingsRules reader(*changed, "", Settings::Compared::kAll);
  const absl::StatusOr<RulesHistory> history = read_rules_history(*records, reader);
  if (!history.ok()) return history.status();
  const std::map<std::string, std::string> semantic = changed->semantic();
  const absl::StatusOr<LaterRules> next =
      next_rules(*history, newest, {.base = newest.version, .settings = semantic}, reader);
  if (!next.ok()) return next.status();
  RulesProposal proposal{.version = next->record.version, .rules = next->rules, .differences = {}};
  for (const SettingDifference& each : rules_differences(newest.settings, semantic))
    proposal.differences.push_back({each.key, each.before, each.now});
  return proposal;
}

absl::StatusOr<std::string> SettingsAuthor::apply(std::string_view toml) {
  if (!stored_.empty()) {
    return absl::FailedPreconditionError(
        "a stored state is only shown: `rfmstream rules apply --state DIR` changes its rules while "
        "nobody serves it, and the next replay follows them");
  }
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return absl::UnavailableError("somebody else asks for rules at this moment");
  const absl::StatusOr<std::vector<RulesRecord>> records = log();
  if (!records.ok()) return records.status();
  const absl::StatusOr<Settings> changed = changed_settings(records->back(), toml);
  if (!changed.ok()) return changed.status();
  const std::int64_t next = records->back().version + 1;
  const auto now = std::chrono::steady_clock::now();
  if (asked_version_ == next && now - asked_at_ < kAskedMax) {
    return absl::AbortedError(fmt::format(
        "rules version {} is asked for and not logged yet: see what it is, and ask again", next));
  }
  const std::map<std::string, std::string> semantic = changed->semantic();
  absl::StatusOr<std::string> asked =
      change_rules({.state = {}, .wait_s = 0}, settings_, *records, semantic);
  if (asked.ok() && !rules_differences(records->back().settings, semantic).empty()) {
    asked_version_ = next;
    asked_at_ = now;
  }
  return asked;
}

}  // namespace rfm
