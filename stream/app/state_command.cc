#include "stream/app/state_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stream/app/progress.h"
#include "stream/app/state_arguments.h"
#include "stream/app/stop_signal.h"
#include "stream/app/text_table.h"
#include "stream/run/state_copy.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

struct SnapshotArguments {
  std::string state;
  std::string to;
};

void print(const StateCopy& copy, const SnapshotArguments& arguments) {
  std::uint64_t customers = 0;
  std::vector<std::vector<std::string>> lines = {
      {"partition", "next offset", "watermark", "customers"}};
  for (std::size_t i = 0; i < copy.partitions.size(); ++i) {
    const auto& [id, meta] = copy.partitions[i];
    lines.push_back({fmt::format("{}", id), fmt::format("{}", meta.next_offset),
                     meta.watermark == kBeforeAll ? "-" : to_rfc3339(meta.watermark),
                     grouped(copy.customers[i])});
    customers += copy.customers[i];
  }
  const PartitionMeta& meta = copy.partitions.front().meta;
  fmt::print("snapshot of {} in {}: application {}, input {}, {} customers\n", arguments.state,
             arguments.to, meta.application, meta.input_topic, grouped(customers));
  print_table(lines);
}

absl::Status make_snapshot(const SnapshotArguments& arguments) {
  const StopSignal stop;
  Progress progress("copied", "records");
  std::uint64_t copied = 0;
  const absl::StatusOr<StateCopy> copy = copy_state({.from = arguments.state,
                                                     .to = arguments.to,
                                                     .should_stop = [&] { return stop.asked(); },
                                                     .on_progress =
                                                         [&](std::uint64_t records) {
                                                           copied = records;
                                                           progress.update(records, {}, "");
                                                         }});
  if (absl::IsCancelled(copy.status())) return interrupted("there is no snapshot");
  if (!copy.ok()) return copy.status();
  progress.finish(copied, "");
  print(*copy, arguments);
  return absl::OkStatus();
}

}  // namespace

void add_state_command(CLI::App& app, Invocation& invocation) {
  CLI::App& state = *app.add_subcommand("state", "Back up a state directory");
  state.require_subcommand(1);
  const auto arguments = std::make_shared<SnapshotArguments>();
  CLI::App& command =
      *state.add_subcommand("snapshot", "A copy of a state directory, whole at one instant");
  add_state_option(command, arguments->state);
  command
      .add_option("--to", arguments->to,
                  "Where the copy goes: a directory that is not there yet; it appears when all of "
                  "it is written")
      ->required()
      ->type_name("DIR");
  command.footer(
      "The copy is what was committed at one instant, also while the service runs. It is a state\n"
      "directory like any other: `export`, `inspect` and the others read it, and a service or a\n"
      "replay that is given it as --state goes on from there. docs/runbook.md restores one.\n"
      "Example:\n"
      "  rfmstream state snapshot --state /var/lib/rfmstream/state --to /backup/rfmstream-monday");
  command.callback([arguments, &invocation] {
    invocation.run = [arguments] { return make_snapshot(*arguments); };
  });
}

}  // namespace rfm
