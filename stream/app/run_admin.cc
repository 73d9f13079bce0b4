#include "stream/app/run_admin.h"

#include <spdlog/spdlog.h>

#include "config/options.h"
#include "stream/app/settings_rules.h"
#include "stream/decode/mapping.h"
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

namespace {

std::vector<std::unique_ptr<QueryDesk>> desks_for(const Settings& settings) {
  std::vector<std::unique_ptr<QueryDesk>> desks;
  for (std::int64_t lane = 0; lane < settings.integer("run.lanes"); ++lane)
    desks.push_back(std::make_unique<QueryDesk>());
  return desks;
}

std::vector<QueryDesk*> views_of(const std::vector<std::unique_ptr<QueryDesk>>& desks) {
  std::vector<QueryDesk*> views;
  for (const auto& desk : desks) views.push_back(desk.get());
  return views;
}

}  // namespace

RunAdmin::RunAdmin(const Settings& settings, std::vector<RulesRecord> stored, std::string token,
                   const Clock& clock)
    : settings_(settings),
      desks_(desks_for(settings)),
      all_desks_(views_of(desks_)),
      answers_(all_desks_, board_, clock, settings.text("input.currency"),
               training_options(settings)),
      author_(settings, std::move(stored)),
      lab_(std::move(token), author_, answers_),
      pages_({.version = RFM_VERSION,
              .application = settings.text("app.name"),
              .config_json = settings_json(settings),
              .stuck_after = settings.duration("admin.stuck_after")},
             board_, clock, &answers_, &lab_) {}

void RunAdmin::show_rules(const std::map<std::string, std::string>& newest) {
  const absl::StatusOr<Settings> in_force = settings_of_rules(newest, settings_);
  if (in_force.ok()) return pages_.show_config(settings_json(*in_force));
  spdlog::error("/config goes on with other settings than those in force: {}",
                std::string(in_force.status().message()));
}

std::vector<QueryDesk*> RunAdmin::desks() const {
  return server_ == nullptr ? std::vector<QueryDesk*>{} : views_of(desks_);
}

absl::StatusOr<std::unique_ptr<RunAdmin>> RunAdmin::start(const Settings& settings,
                                                          std::vector<RulesRecord> stored,
                                                          const Clock& clock) {
  absl::StatusOr<std::string> token = read_admin_token(settings);
  if (!token.ok()) return token.status();
  std::unique_ptr<RunAdmin> admin(
      new RunAdmin(settings, std::move(stored), *std::move(token), clock));
  const std::string& listen = settings.text("admin.listen");
  if (listen.empty()) return admin;
  absl::StatusOr<std::vector<std::string>> hosts = parse_ids(settings.text("admin.hosts"));
  if (!hosts.ok()) return hosts.status();
  absl::StatusOr<std::unique_ptr<AdminServer>> server =
      AdminServer::start(listen, *std::move(hosts), admin->pages_);
  if (!server.ok()) return server.status();
  admin->server_ = *std::move(server);
  spdlog::info("health, metrics, settings and customers are at http://{}:{}/",
               listen.substr(0, listen.rfind(':')), admin->server_->port());
  return admin;
}

}  // namespace rfm
