// Other rules as a part of a settings file, for the rules lab of the admin listener.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "admin/rules_author.h"
#include "config/settings.h"
#include "stream/format/model_log.h"

namespace rfm {

// The token of admin.token_file; empty: none is set. kInvalidArgument: there is no such file, or
// what it holds is no token.
absl::StatusOr<std::string> read_admin_token(const Settings& settings);

class SettingsAuthor final : public RulesAuthor {
 public:
  // `settings` say where the model log is. `stored`: the log of a state that is only shown, whose
  // rules nobody can change; empty: it is a topic.
  SettingsAuthor(Settings settings, std::vector<RulesRecord> stored)
      : settings_(std::move(settings)), stored_(std::move(stored)) {}

  absl::StatusOr<RulesProposal> propose(std::string_view toml) override;
  absl::StatusOr<std::string> apply(std::string_view toml) override;

 private:
  absl::StatusOr<std::vector<RulesRecord>> log() const;

  const Settings settings_;
  const std::vector<RulesRecord> stored_;
  std::mutex mutex_;  // One at a time asks the broker. Guards what follows.
  std::int64_t asked_version_ = 0;
  std::chrono::steady_clock::time_point asked_at_{};
};

}  // namespace rfm
