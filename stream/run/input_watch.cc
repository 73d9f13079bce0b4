#include "stream/run/input_watch.h"

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <optional>
#include <utility>

#include "stream/kafka/kafka_topics.h"
#include "stream/run/stop_poll.h"
#include "stream/run/topic_check.h"

namespace rfm {
namespace {

constexpr std::chrono::seconds kInterval{4};
constexpr std::chrono::seconds kAnswerMax{2};
constexpr std::chrono::seconds kAwaitPoll{1};
constexpr std::chrono::minutes kAwaitLineInterval{1};

}  // namespace

absl::Status look_at_input(const KafkaOptions& options, int partition_count) {
  KafkaOptions hasty = options;
  hasty.request_timeout = kAnswerMax;
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(hasty);
  if (!topics.ok()) return absl::OkStatus();
  const absl::StatusOr<std::optional<int>> count = topics->partition_count(options.input_topic);
  if (!count.ok()) return absl::OkStatus();
  if (!*count)
    return absl::NotFoundError(fmt::format("the input topic {} is gone", options.input_topic));
  if (**count == partition_count) return absl::OkStatus();
  return partitions_changed(options, partition_count, **count);
}

bool await_input(const KafkaOptions& options, std::string_view why) {
  std::optional<Deadline> silent;
  while (!options.stop->asked()) {
    if (!silent || silent->passed()) {
      silent.emplace(kAwaitLineInterval);
      spdlog::error(
          "not ready: {}. All that was read is committed. If {} comes back as it was, the service "
          "goes on; if it was deleted for good, end the service and begin anew under another "
          "app.name, with output.transitions and output.segments of its own",
          why, options.input_topic);
    }
    if (!sleep_unless_stopped(kAwaitPoll, *options.stop)) break;
    // Any count will do: the start that follows compares it.
    if (!absl::IsNotFound(look_at_input(options, 0))) return true;
  }
  return false;
}

InputWatch::InputWatch(KafkaOptions options, int partition_count)
    : options_(std::move(options)), partition_count_(partition_count), thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "input-watch");
}

InputWatch::~InputWatch() {
  {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

absl::Status InputWatch::status() const {
  const std::scoped_lock lock(mutex_);
  return status_;
}

void InputWatch::run() {
  std::unique_lock lock(mutex_);
  while (status_.ok()) {
    if (changed_.wait_for(lock, kInterval, [this] { return ended_; })) return;
    lock.unlock();
    absl::Status seen = look_at_input(options_, partition_count_);
    lock.lock();
    status_ = std::move(seen);
  }
}

}  // namespace rfm
