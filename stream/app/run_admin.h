// The admin listener of `run` and `serve`, as the settings say.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "admin/admin_pages.h"
#include "admin/admin_server.h"
#include "admin/rules_lab.h"
#include "admin/state_answers.h"
#include "admin/state_desks.h"
#include "admin/status_board.h"
#include "config/settings.h"
#include "stream/app/settings_author.h"
#include "stream/record/clock.h"

namespace rfm {

// Every setting with its value and where it comes from, as `config show` shows them.
std::string settings_json(const Settings& settings);

class RunAdmin {
 public:
  // `clock` outlives it. With an empty admin.listen nobody listens.
  // `stored`: the model log of a state that is only shown; empty: it is a topic.
  static absl::StatusOr<std::unique_ptr<RunAdmin>> start(const Settings& settings,
                                                         std::vector<RulesRecord> stored,
                                                         const Clock& clock);

  StatusBoard& board() { return board_; }
  // Any thread. From here on /config answers the settings of the start with these rules in place of
  // its own.
  void show_rules(const std::map<std::string, std::string>& newest);
  // One a lane, for the service to answer at; none where nobody listens.
  std::vector<QueryDesk*> desks() const;

 private:
  RunAdmin(const Settings& settings, std::vector<RulesRecord> stored, std::string token,
           const Clock& clock);

  const Settings settings_;  // Of the start.
  StatusBoard board_;
  std::vector<std::unique_ptr<QueryDesk>> desks_;
  StateDesks all_desks_;
  StateAnswers answers_;
  SettingsAuthor author_;
  RulesLab lab_;
  AdminPages pages_;
  std::unique_ptr<AdminServer> server_;  // Gone before what it answers with.
};

}  // namespace rfm
