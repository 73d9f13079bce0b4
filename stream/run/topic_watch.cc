#include "stream/run/topic_watch.h"

#include <fmt/format.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stream/kafka/kafka_topics.h"
#include "stream/run/stop_poll.h"
#include "stream/run/topic_check.h"

namespace rfm {
namespace {

constexpr std::chrono::seconds kInterval{4};
constexpr std::chrono::seconds kAnswerMax{2};
constexpr std::chrono::seconds kAwaitPoll{1};
constexpr std::chrono::minutes kAwaitLineInterval{1};

// Absent: no broker answers.
std::optional<absl::Status> ask_for_topics(const KafkaOptions& options, int partition_count) {
  absl::StatusOr<KafkaTopics> topics = KafkaTopics::open(options.with_timeout(kAnswerMax));
  if (!topics.ok()) return std::nullopt;
  std::vector<std::string> names;  // The input first.
  for (TopicSpec& spec : application_topics(options, TopicPlan()))
    names.push_back(std::move(spec.name));
  const auto counts = topics->partition_counts(names);
  if (!counts.ok()) return std::nullopt;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if ((*counts)[i]) continue;
    return i == 0 ? absl::NotFoundError(fmt::format(
                        "the input topic {} is gone. If it comes back as it was, the service goes "
                        "on; if it was deleted for good, end the service and begin anew under "
                        "another app.name, with output.transitions and output.segments of its own",
                        names[i]))
                  : absl::NotFoundError(fmt::format(
                        "the topic {} is gone. When it is there again, the service goes on: "
                        "`rfmstream topics create` makes it anew, without what it held",
                        names[i]));
  }
  const int now = *counts->front();
  return now == partition_count ? absl::OkStatus()
                                : partitions_changed(options, partition_count, now);
}

}  // namespace

absl::Status look_at_topics(const KafkaOptions& options, int partition_count) {
  return ask_for_topics(options, partition_count).value_or(absl::OkStatus());
}

bool await_topics(const KafkaOptions& options, std::string_view why,
                  const std::function<void(bool answered)>& on_look) {
  std::optional<Deadline> silent;
  while (!options.stop->asked()) {
    if (!silent || silent->passed()) {
      silent.emplace(kAwaitLineInterval);
      spdlog::error("not ready: {}. All that was committed is safe", why);
    }
    if (!sleep_unless_stopped(kAwaitPoll, *options.stop)) break;
    // Any count will do: the start that follows compares it.
    const std::optional<absl::Status> seen = ask_for_topics(options, 0);
    on_look(seen.has_value());
    // Without an answer nothing is known: a start that finds a topic missing ends the process.
    if (seen && !absl::IsNotFound(*seen)) return true;
  }
  return false;
}

TopicWatch::TopicWatch(KafkaOptions options, int partition_count, std::function<void()> on_look)
    : options_(std::move(options)),
      partition_count_(partition_count),
      on_look_(std::move(on_look)),
      thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "topic-watch");
}

TopicWatch::~TopicWatch() {
  {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

absl::Status TopicWatch::status() const {
  const std::scoped_lock lock(mutex_);
  return status_;
}

bool TopicWatch::broker_answers() const {
  const std::scoped_lock lock(mutex_);
  return broker_answers_;
}

void TopicWatch::run() {
  std::unique_lock lock(mutex_);
  while (status_.ok()) {
    if (changed_.wait_for(lock, kInterval, [this] { return ended_; })) return;
    lock.unlock();
    const std::optional<absl::Status> seen = ask_for_topics(options_, partition_count_);
    if (seen && seen->ok()) on_look_();
    lock.lock();
    broker_answers_ = seen.has_value();
    status_ = seen.value_or(absl::OkStatus());
  }
}

}  // namespace rfm
