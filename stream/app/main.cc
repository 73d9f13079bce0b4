// The one binary: parses the command line and runs the chosen command.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "stream/app/command.h"
#include "stream/app/config_command.h"
#include "stream/app/evaluate_command.h"
#include "stream/app/export_command.h"
#include "stream/app/generate_command.h"
#include "stream/app/health_command.h"
#include "stream/app/import_command.h"
#include "stream/app/inspect_command.h"
#include "stream/app/kafka_setup.h"
#include "stream/app/log_output.h"
#include "stream/app/model_command.h"
#include "stream/app/replay_command.h"
#include "stream/app/report_command.h"
#include "stream/app/rules_command.h"
#include "stream/app/run_command.h"
#include "stream/app/segments_command.h"
#include "stream/app/serve_command.h"
#include "stream/app/state_command.h"
#include "stream/app/tail_command.h"
#include "stream/app/topics_command.h"

int main(int argc, char** argv) {
  CLI::App app("rfmstream: RFM segment transitions from a stream of invoices");
  app.name("rfmstream");
  app.set_version_flag("--version", RFM_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Every command has its own --help.\n"
      "Exit status: 0 done, 1 failed, 2 wrong use or settings, 130 interrupted.");
  rfm::Invocation invocation;

  // In the order of the overview in --help.
  rfm::add_run_command(app, invocation, nullptr);
  rfm::add_topics_command(app, invocation);
  rfm::add_health_command(app, invocation);
  rfm::add_tail_command(app, invocation);
  rfm::add_replay_command(app, invocation);
  rfm::add_serve_command(app, invocation);
  rfm::add_evaluate_command(app, invocation);
  rfm::add_generate_command(app, invocation);
  rfm::add_import_command(app, invocation);
  rfm::add_export_command(app, invocation);
  rfm::add_report_command(app, invocation);
  rfm::add_inspect_command(app, invocation);
  rfm::add_state_command(app, invocation);
  rfm::add_segments_command(app, invocation);
  rfm::add_rules_command(app, invocation);
  rfm::add_model_command(app, invocation);
  rfm::add_config_command(app, invocation);

  try {
    app.parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    // A misspelt word is missed before it is read.
    const std::vector<std::string> unknown = app.remaining(true);
    if (unknown.empty()) return app.exit(error) == 0 ? 0 : 2;
    fmt::print(stderr, "rfmstream: {} is not known here; see --help\n", unknown.front());
    return 2;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  rfm::log_to_standard_error("warn");
  const absl::Status status = rfm::run_to_end(invocation);
  return rfm::exit_code(status, invocation.log_format);
}
