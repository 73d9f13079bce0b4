// The rules of a model log for the commands `rules`: a topic's, or a state directory's.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/settings.h"
#include "stream/format/model_log.h"

namespace rfm {

// Where they are.
struct RulesPlace {
  std::string state;         // A directory that `replay --state` made; empty: the topic.
  std::int64_t wait_s = 30;  // How long a service has to take a request up.
};

// At least one version. `settings` say where Kafka is. kNotFound: none has been logged yet.
absl::StatusOr<std::vector<RulesRecord>> read_rules_log(const RulesPlace& place,
                                                        const Settings& settings);

// The newest one, with what is held. kNotFound: none has been trained yet.
absl::StatusOr<ModelVersion> read_newest_model(const RulesPlace& place, const Settings& settings);

// `given`, with the log's word on how the input is written where nothing was chosen: a replay may
// have been told so by --format.
absl::StatusOr<Settings> with_logged_input(Settings given, const RulesRecord& newest);

// Makes `semantic` the version after `log`: in a state directory at once, else by a request to the
// running service. Returns what became of it, for people. kInvalidArgument: what cannot change.
absl::StatusOr<std::string> change_rules(const RulesPlace& place, const Settings& settings,
                                         const std::vector<RulesRecord>& log,
                                         const std::map<std::string, std::string>& semantic);

// "from 2011-12-10T00:00:00Z on"
std::string boundary_text(const RulesRecord& rules);

}  // namespace rfm
