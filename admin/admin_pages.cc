#include "admin/admin_pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "admin/metrics.h"
#include "admin/openapi.h"
#include "admin/page_assets.h"
#include "admin/pipeline_answer.h"
#include "admin/process_figures.h"
#include "admin/request_parameters.h"

namespace rfm {
namespace {

constexpr std::string_view kExposition = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kAssets = "/assets/";
constexpr std::chrono::seconds kMetricsAgeMax{1};

std::shared_ptr<const std::string> shared(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

AdminReply probe_reply(ProbeAnswer answer) {
  return {.status = answer.is_good ? 200 : 503,
          .content_type = kJsonType,
          .body = shared(std::move(answer.json))};
}

AdminReply not_allowed_reply(std::string_view allowed) {
  AdminReply reply = error_reply(405, "not_allowed", fmt::format("allowed here: {}", allowed));
  reply.allow = allowed;
  return reply;
}

AdminReply asset_reply(const Asset& asset) {
  return {.content_type = asset.content_type,
          .body = shared(std::string(asset.bytes)),
          .content_encoding = "gzip",
          .keeping = asset.path.starts_with(kAssets) ? Keeping::kForEver : Keeping::kAsked,
          .etag = std::string(asset.etag)};
}

}  // namespace

AdminPages::AdminPages(AdminPagesOptions options, const StatusBoard& board, const Clock& clock,
                       StateAnswers* answers, RulesLab* lab)
    : options_(std::move(options)),
      board_(board),
      clock_(clock),
      answers_(answers),
      lab_(lab),
      index_(shared(fmt::format("rfmstream {}, application {}\n"
                                "There is no page in this build (RFM_PAGE is off, or npm was not "
                                "found); what it answers:\n\n"
                                "/healthz         200 while the loop of each lane turns, else 503\n"
                                "/readyz          200 while records are applied, else 503 and why "
                                "not\n"
                                "/metrics         for Prometheus\n"
                                "/config          the settings in force, without secrets\n"
                                "/pipeline        how far it is, and what became of the records\n"
                                "{}"
                                "{}"
                                "/openapi.json    all of these, described\n",
                                options_.version, options_.application,
                                answers == nullptr ? "" : StateAnswers::list(),
                                lab == nullptr ? "" : RulesLab::list()))),
      config_(json_reply(options_.config_json)) {}

void AdminPages::show_config(std::string json) {
  AdminReply reply = json_reply(std::move(json));
  const std::scoped_lock lock(mutex_);
  config_ = std::move(reply);
}

std::optional<AdminReply> AdminPages::refusal(const AdminRequest& head) const {
  const bool is_lab = lab_ != nullptr && RulesLab::is_own(head.path);
  const bool reads = head.method == "GET" || head.method == "HEAD";
  if (is_lab && head.method == "POST") return lab_->refusal(head.authorization);
  if (is_lab) return not_allowed_reply("POST");
  if (!reads) return not_allowed_reply("GET, HEAD");
  return std::nullopt;
}

AdminReply AdminPages::answer(const AdminRequest& request) const {
  return request.method == "POST" ? lab_->answer(request) : get(request);
}

AdminReply AdminPages::get(const AdminRequest& request) const {
  const std::string_view path = request.path;
  const std::span<const Asset> assets = page_assets();
  const auto asset = std::ranges::find(assets, path, &Asset::path);
  if (asset != assets.end()) return asset_reply(*asset);
  if (path == "/") return {.content_type = kPlainType, .body = index_};
  if (path == "/metrics") return metrics();
  if (path == "/config" || path == "/pipeline") {
    const absl::Status none = RequestParameters(request, {}).status();
    if (!none.ok())
      return error_reply(400, "bad_request", {none.message().data(), none.message().size()});
  }
  if (path == "/config") return config();
  if (path == "/openapi.json") return json_reply(std::string(openapi_json()));
  if (path == "/healthz" || path == "/readyz" || path == "/pipeline") return status_answer(request);
  if (answers_ == nullptr || path.starts_with(kAssets))
    return error_reply(404, "not_found", "there is no such path; see /");
  return answers_->get(request);
}

AdminReply AdminPages::status_answer(const AdminRequest& request) const {
  const std::shared_ptr<const ServiceStatus> status = board_.latest();
  const ProbeContext context{.status = *status,
                             .is_stopping = board_.is_stopping(),
                             .now = clock_.steady(),
                             .stuck_after = options_.stuck_after};
  if (request.path == "/pipeline") return json_reply(pipeline_json(context));
  return probe_reply(request.path == "/healthz" ? health(context) : readiness(context));
}

AdminReply AdminPages::config() const {
  const std::scoped_lock lock(mutex_);
  return config_;
}

AdminReply AdminPages::metrics() const {
  const auto now = clock_.steady();
  const std::shared_ptr<const ServiceStatus> status = board_.latest();
  const std::scoped_lock lock(mutex_);
  if (written_of_ != status || now - written_at_ > kMetricsAgeMax) {
    const ProbeContext context{.status = *status,
                               .is_stopping = board_.is_stopping(),
                               .now = now,
                               .stuck_after = options_.stuck_after};
    metrics_ = shared(metrics_text(context, options_.version, process_figures()));
    written_of_ = status;
    written_at_ = now;
  }
  return {.content_type = kExposition, .body = metrics_};
}

}  // namespace rfm
