#include "admin/rules_lab.h"

#include <cstddef>
#include <utility>

#include "absl/strings/match.h"
#include "stream/text/json_text.h"
#include "stream/text/text_buffer.h"

namespace rfm {
namespace {

constexpr std::string_view kDryRun = "/rules/dry-run";
constexpr std::string_view kApply = "/rules/apply";
constexpr std::string_view kScheme = "Bearer ";

// In a time that depends on what is given alone.
bool is_same(std::string_view given, std::string_view secret) {
  std::size_t differs = given.size() ^ secret.size();
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char other = secret[i % secret.size()];
    differs |= static_cast<unsigned char>(given[i] ^ other);
  }
  return differs == 0;
}

AdminReply refusal_of(const absl::Status& status) {
  const std::string_view detail(status.message().data(), status.message().size());
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return error_reply(400, "bad_request", detail);
    case absl::StatusCode::kFailedPrecondition:
      return error_reply(409, "not_here", detail);
    case absl::StatusCode::kNotFound:
      return error_reply(409, "no_rules", detail);
    case absl::StatusCode::kAborted:
      return error_reply(409, "asked_already", detail);
    default:
      return error_reply(503, "unavailable", detail);
  }
}

}  // namespace

RulesLab::RulesLab(std::string token, RulesAuthor& author, StateAnswers& answers)
    : token_(std::move(token)), author_(author), answers_(answers) {}

bool RulesLab::is_own(std::string_view path) { return path == kDryRun || path == kApply; }

std::string_view RulesLab::list() {
  return "/rules/dry-run   POST: what other rules would do; with the token\n"
         "/rules/apply     POST: asks for them; with the token\n";
}

std::optional<AdminReply> RulesLab::refusal(std::string_view authorization) const {
  if (token_.empty()) {
    return error_reply(403, "no_token",
                       "nobody may change anything here: admin.token_file is not set; with a file "
                       "that holds a token it is asked for as Authorization: Bearer TOKEN");
  }
  const std::string_view scheme = authorization.substr(0, kScheme.size());
  if (absl::EqualsIgnoreCase({scheme.data(), scheme.size()}, {kScheme.data(), kScheme.size()}) &&
      is_same(authorization.substr(kScheme.size()), token_))
    return std::nullopt;
  return error_reply(401, "token_needed",
                     "Authorization: Bearer TOKEN is to have the token of admin.token_file");
}

AdminReply RulesLab::answer(const AdminRequest& request) {
  if (request.path == kDryRun) {
    const absl::StatusOr<RulesProposal> proposal = author_.propose(request.body);
    return proposal.ok() ? answers_.dry_run(*proposal) : refusal_of(proposal.status());
  }
  const absl::StatusOr<std::string> done = author_.apply(request.body);
  if (!done.ok()) return refusal_of(done.status());
  TextBuffer text;
  JsonText out(text);
  out.begin_object();
  out.key("what").text(*done);
  out.end_object();
  AdminReply reply = json_reply(std::string(text.view()));
  reply.status = 202;
  return reply;
}

}  // namespace rfm
