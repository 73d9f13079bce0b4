// The rules of a state directory that `replay --state` made: its model log is in it.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "stream/format/model_log.h"
#include "stream/format/request.h"
#include "stream/run/rules_reader.h"

namespace rfm {

// Logs the next version, which holds from a boundary on that nothing in the directory has crossed.
// What the clocks did after the end of the input is undone; the next replay does it again.
// kFailedPrecondition: a replay has the directory open, or it belongs to a service, or the request
// is not for its newest rules.
absl::StatusOr<RulesRecord> change_stored_rules(const std::string& directory,
                                                const RulesRequest& request, RulesReader& reader);

}  // namespace rfm
