// POST /rules/dry-run and /rules/apply, for who has the token.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "admin/admin_request.h"
#include "admin/rules_author.h"
#include "admin/state_answers.h"

namespace rfm {

// Any thread.
class RulesLab {
 public:
  // Both outlive it. An empty token: nobody is let in.
  RulesLab(std::string token, RulesAuthor& author, StateAnswers& answers);

  static bool is_own(std::string_view path);
  static std::string_view list();  // As StateAnswers has it.

  // Who does not show the token, in the header Authorization, is told so.
  std::optional<AdminReply> refusal(std::string_view authorization) const;
  // Of a path of its own that is not refused.
  AdminReply answer(const AdminRequest& request);

 private:
  const std::string token_;
  RulesAuthor& author_;
  StateAnswers& answers_;
};

}  // namespace rfm
