#include "tests/fake/kafka_broker.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/status.h"

namespace rfm {
namespace {

std::filesystem::path source_directory() {
  const char* const directory = std::getenv("RFM_SOURCE_DIR");
  return directory == nullptr ? std::filesystem::current_path() : std::filesystem::path(directory);
}

// Runs `docker/kafka/broker <command> --dir <directory>` and waits for it.
absl::Status run(std::string command, const std::filesystem::path& directory) {
  std::string script = source_directory() / "docker/kafka/broker";
  std::string option = "--dir";
  std::string argument = directory;
  std::array<char*, 5> arguments = {script.data(), command.data(), option.data(), argument.data(),
                                    nullptr};
  pid_t pid = 0;
  if (const int error =
          ::posix_spawn(&pid, script.c_str(), nullptr, nullptr, arguments.data(), environ);
      error != 0) {
    return absl::ErrnoToStatus(error, "cannot run " + script);
  }
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return absl::UnavailableError(fmt::format("{} {} failed", script, command));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<KafkaBroker>> KafkaBroker::start() {
  std::string name = std::filesystem::temp_directory_path() / "rfmstream-kafka-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) return absl::ErrnoToStatus(errno, "cannot make " + name);
  std::unique_ptr<KafkaBroker> broker(new KafkaBroker(name));
  if (absl::Status status = run("start", broker->directory_); !status.ok()) return status;
  std::ifstream(broker->directory_ / "endpoint") >> broker->endpoint_;
  return broker;
}

KafkaBroker::KafkaBroker(std::filesystem::path directory) : directory_(std::move(directory)) {}

KafkaBroker::~KafkaBroker() {
  kill().IgnoreError();
  std::error_code error;
  std::filesystem::remove_all(directory_, error);
}

absl::Status KafkaBroker::kill() { return run("kill", directory_); }

absl::Status KafkaBroker::restart() { return run("restart", directory_); }

KafkaBroker& shared_kafka_broker() {
  static const std::unique_ptr<KafkaBroker> kBroker = [] {
    absl::StatusOr<std::unique_ptr<KafkaBroker>> started = KafkaBroker::start();
    if (!started.ok()) {
      std::cerr << started.status() << '\n';
      std::abort();
    }
    return std::move(*started);
  }();
  return *kBroker;
}

}  // namespace rfm
