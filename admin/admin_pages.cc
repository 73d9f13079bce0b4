#include "admin/admin_pages.h"

#include <fmt/format.h>

#include <utility>

#include "admin/health.h"
#include "admin/metrics.h"
#include "admin/process_figures.h"

namespace rfm {
namespace {

constexpr std::string_view kPlain = "text/plain; charset=utf-8";
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kExposition = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::chrono::seconds kMetricsAgeMax{1};

std::shared_ptr<const std::string> shared(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

AdminPages::Reply probe_reply(ProbeAnswer answer) {
  return {.status = answer.is_good ? 200 : 503,
          .content_type = kJson,
          .body = shared(std::move(answer.json))};
}

}  // namespace

AdminPages::AdminPages(AdminPagesOptions options, const StatusBoard& board, const Clock& clock)
    : options_(std::move(options)),
      board_(board),
      clock_(clock),
      index_(shared(fmt::format("rfmstream {}, application {}\n\n"
                                "/healthz  200 while the loop of each lane turns, else 503\n"
                                "/readyz   200 while records are applied, else 503 and why not\n"
                                "/metrics  for Prometheus\n"
                                "/config   the settings in force, without secrets\n",
                                options_.version, options_.application))),
      config_(shared(options_.config_json)) {}

AdminPages::Reply AdminPages::get(std::string_view path) const {
  if (path == "/metrics") return metrics();
  if (path == "/config") return {.content_type = kJson, .body = config_};
  if (path == "/") return {.content_type = kPlain, .body = index_};
  if (path != "/healthz" && path != "/readyz")
    return {.status = 404, .content_type = kPlain, .body = shared("not found; see /\n")};
  const std::shared_ptr<const ServiceStatus> status = board_.latest();
  const ProbeContext context{.status = *status,
                             .is_stopping = board_.is_stopping(),
                             .now = clock_.steady(),
                             .stuck_after = options_.stuck_after};
  return probe_reply(path == "/healthz" ? health(context) : readiness(context));
}

AdminPages::Reply AdminPages::metrics() const {
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
