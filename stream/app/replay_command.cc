#include "stream/app/replay_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "stream/app/replay_setup.h"
#include "stream/app/replay_summary.h"

namespace rfm {
namespace {

struct Arguments {
  ReplayArguments replay;
  bool summary = false;
};

std::string reasons_of(const OutcomeCounters& counters) {
  std::string reasons;
  for (int r = 0; r < kDeadLetterReasonCount; ++r) {
    const std::uint64_t count = counters.dead_lettered[static_cast<std::size_t>(r)];
    if (count == 0) continue;
    reasons += fmt::format("{}{} {}", reasons.empty() ? " (" : ", ", count,
                           name(static_cast<DeadLetterReason>(r)));
  }
  if (counters.invoices_rejected > 0) {
    reasons += fmt::format("{}{} invoices of lines", reasons.empty() ? " (" : ", and ",
                           counters.invoices_rejected);
  }
  return reasons.empty() ? reasons : reasons + ")";
}

absl::Status replay(const Arguments& arguments) {
  if (!arguments.summary && !arguments.replay.output && !arguments.replay.state) {
    fmt::print(stderr,
               "note: nothing is kept but the counts: --summary shows what was found, --output DIR "
               "writes the transitions, --state DIR keeps the customers for `export`, `report` and "
               "`inspect`\n");
  }
  absl::StatusOr<ReplaySetup> setup = ReplaySetup::open(arguments.replay);
  if (!setup.ok()) return setup.status();
  ReplaySummary summary(setup->settings().text("input.currency"));
  if (arguments.summary) setup->replay().observe(summary);
  const absl::Status done = setup->run();
  if (!done.ok() && !absl::IsCancelled(done)) return done;
  const OutcomeCounters counters = setup->replay().lane().counters();
  if (arguments.summary) {
    summary.print(setup->replay(), setup->seconds());
  } else {
    fmt::print("{} records, {} transitions, {} dead letters{} in {:.1f} s\n", counters.records,
               counters.transitions, counters.dead_lettered_total(), reasons_of(counters),
               setup->seconds());
  }
  return done;
}

}  // namespace

void add_replay_command(CLI::App& app, Invocation& invocation) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& command =
      *app.add_subcommand("replay", "Run a file or a topic's history through the pipeline");
  add_input_arguments(command, arguments->replay);
  command
      .add_option(
          "--state", arguments->replay.state,
          "State directory: kept, and gone on from by the next replay of the same input, which "
          "may have grown at its end; what only the end or --until led to is then done anew "
          "(default: a temporary one)")
      ->type_name("DIR");
  command
      .add_option("--output", arguments->replay.output,
                  "Where transitions.jsonl, segments.jsonl, dead-letters.jsonl, receipts.jsonl and "
                  "model.jsonl go; a directory of this replay's own (default: nowhere)")
      ->type_name("DIR");
  CLI::Option& model_log =
      *command
           .add_option("--model-log", arguments->replay.model_log,
                       "Follow the versions of this model.jsonl instead of training")
           ->type_name("FILE");
  CLI::Option& go_live =
      *command
           .add_option("--go-live", arguments->replay.go_live,
                       "Transitions before TIME are not actionable (default: all that can be are)")
           ->type_name("TIME");
  command
      .add_option(
          "--received-at", arguments->replay.received_at,
          "When a file's records were received, against which event times in the future are told "
          "(default: the time of the first start)")
      ->type_name("TIME");
  command
      .add_flag("--recorded", arguments->replay.recorded,
                "Follow all that the application app.name has recorded in Kafka (versions, ticks, "
                "go-live), as far as it has read the topic: its transitions come out byte for byte")
      ->excludes(&model_log)
      ->excludes(&go_live);
  command.add_flag("--summary", arguments->summary,
                   "Print outcomes, models, explained transitions, moves and, last, the segments");
  command.footer(
      "Examples:\n"
      "  rfmstream replay --input online_retail.csv --summary\n"
      "  rfmstream replay --input online_retail.csv.xz --until 2011-06-01 --state s --output o\n"
      "  gzip -dc history.jsonl.gz | rfmstream replay --input - --summary\n"
      "  rfmstream replay --input kafka:invoices --output what-if --set model.clusters=4\n"
      "  rfmstream replay --input kafka:invoices --output audit --recorded");
  command.callback(
      [arguments, &invocation] { invocation.run = [arguments] { return replay(*arguments); }; });
}

}  // namespace rfm
