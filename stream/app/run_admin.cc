#include "stream/app/run_admin.h"

#include <spdlog/spdlog.h>

#include "stream/text/json_text.h"
#include "stream/text/text_buffer.h"
#include "stream/text/utf8.h"

namespace rfm {

std::string settings_json(const Settings& settings) {
  TextBuffer text;
  JsonText json(text);
  json.begin_object();
  for (const EffectiveSetting& setting : settings.effective()) {
    json.name(with_replacements(setting.key)).begin_object();
    json.key("value").text(with_replacements(shown_text(setting)));
    json.key("from").text(name(setting.origin));
    json.end_object();
  }
  json.end_object();
  return std::string(text.view()) + '\n';
}

RunAdmin::RunAdmin(const Settings& settings, const Clock& clock)
    : pages_({.version = RFM_VERSION,
              .application = settings.text("app.name"),
              .config_json = settings_json(settings),
              .stuck_after = settings.duration("admin.stuck_after")},
             board_, clock) {}

absl::StatusOr<std::unique_ptr<RunAdmin>> RunAdmin::start(const Settings& settings,
                                                          const Clock& clock) {
  std::unique_ptr<RunAdmin> admin(new RunAdmin(settings, clock));
  const std::string& listen = settings.text("admin.listen");
  if (listen.empty()) return admin;
  absl::StatusOr<std::unique_ptr<AdminServer>> server = AdminServer::start(listen, admin->pages_);
  if (!server.ok()) return server.status();
  admin->server_ = *std::move(server);
  spdlog::info("health, readiness, metrics and settings are at http://{}:{}/",
               listen.substr(0, listen.rfind(':')), admin->server_->port());
  return admin;
}

}  // namespace rfm
