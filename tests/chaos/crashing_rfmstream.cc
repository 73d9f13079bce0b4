// `rfmstream run` that kills itself, as kill -9 does, at the n-th occurrence of a named step of the
// commit. The product's own libraries and command; only the observer is the test's.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

#include "stream/app/command.h"
#include "stream/app/run_command.h"
#include "stream/record/commit_observer.h"

namespace rfm {
namespace {

constexpr std::array<std::string_view, kCommitStepCount> kStepNames = {
    "produced",      "offsets_sent", "commit_sent", "commit_acknowledged",
    "store_writing", "store_written"};

void die() { ::kill(::getpid(), SIGKILL); }

class Crash final : public CommitObserver {
 public:
  std::string step;
  std::int64_t occurrence = 1;
  std::int64_t delay_us = 0;

  void on_step(CommitStep now) override {
    if (kStepNames[static_cast<std::size_t>(now)] != step) return;
    if (++seen_ != occurrence) return;
    if (now != CommitStep::kCommitSent) {
      die();
      return;
    }
    // The request is sent after this call returns: the end comes while it is under way.
    std::thread([this] {
      const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds{delay_us};
      while (std::chrono::steady_clock::now() < end) {
      }
      die();
    }).detach();
  }

 private:
  std::atomic<std::int64_t> seen_ = 0;
};

}  // namespace
}  // namespace rfm

int main(int argc, char** argv) {
  CLI::App app("rfmstream run, ending itself at a step of its commit");
  rfm::Crash crash;
  app.require_subcommand(1);
  app.add_option("--at", crash.step, "Name of the step")->required();
  app.add_option("--occurrence", crash.occurrence, "Which time it comes by");
  app.add_option("--delay-us", crash.delay_us, "How long after commit_sent");
  rfm::Invocation invocation;
  rfm::add_run_command(app, invocation, &crash);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const absl::Status status = invocation.run();
  return rfm::exit_code(status, invocation.log_format);
}
