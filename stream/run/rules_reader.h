// What the settings of a model log's rules mean, and whether they are those that the process was
// started with. Seam: the settings, which only the commands know, or tests that take any.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/training.h"
#include "state/rules.h"
#include "stream/format/model_log.h"
#include "stream/format/request.h"
#include "stream/pipeline/trainer.h"

namespace rfm {

struct ReadRules {
  Rules rules;
  TrainingOptions training;
};

class RulesReader {
 public:
  RulesReader() = default;
  RulesReader(const RulesReader&) = delete;
  RulesReader& operator=(const RulesReader&) = delete;
  virtual ~RulesReader() = default;

  // An error where they differ: in what, and what can be done.
  virtual absl::Status check_rules(const std::map<std::string, std::string>& logged) = 0;

  // An error where a running application cannot go over from one to the other.
  virtual absl::Status check_change(const std::map<std::string, std::string>& before,
                                    const std::map<std::string, std::string>& after) = 0;

  // An error where they are not valid here.
  virtual absl::StatusOr<ReadRules> read_rules(
      const std::map<std::string, std::string>& logged) = 0;
};

// The rules of a model log, which has some: what trainer and lanes begin with, and what follows.
struct RulesHistory {
  ReadRules first;
  std::vector<LaterRules> later;

  const Rules& newest_rules() const { return later.empty() ? first.rules : *later.back().rules; }
  const TrainingOptions& training() const {
    return later.empty() ? first.training : later.back().training;
  }
};

// Cut specs go on from version to version, so that what was trained keeps its place.
absl::StatusOr<RulesHistory> read_rules_history(std::span<const RulesRecord> records,
                                                RulesReader& reader);

// What a request makes of the rules `history`, the newest of which are `newest`: the next version,
// without its boundary. kFailedPrecondition: it is not for these; kInvalidArgument: they cannot
// change so, or are not valid here.
absl::StatusOr<LaterRules> next_rules(const RulesHistory& history, const RulesRecord& newest,
                                      const RulesRequest& request, RulesReader& reader);

}  // namespace rfm
