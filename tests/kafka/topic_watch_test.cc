// Goal: the wait for a topic that is gone ends when a broker says that it is there, and with
// nothing less.
#include "stream/run/topic_watch.h"

#include <gtest/gtest.h>

#include <optional>

#include "stream/record/stop_limit.h"
#include "tests/kafka/kafka_application.h"

namespace rfm {
namespace {

struct Waited {
  bool all_there = false;
  std::optional<bool> answered;  // Of the only look.
};

// Waits until it is over, or for one look.
Waited wait_for_topics(KafkaOptions options) {
  StopLimit stop;
  options.stop = &stop;
  Waited waited;
  waited.all_there = await_topics(options, "a topic is gone", [&](bool answered) {
    waited.answered = answered;
    stop.ask(std::chrono::milliseconds(0));
  });
  return waited;
}

TEST(AwaitTopics, EndsWhenAllAreThere) {
  const Waited waited = wait_for_topics(new_application(3));
  EXPECT_TRUE(waited.all_there);
  EXPECT_EQ(waited.answered, true);
}

TEST(AwaitTopics, GoesOnWhileOneIsGone) {
  KafkaOptions options = new_application(1);
  options.transitions_topic = "unknown";
  const Waited waited = wait_for_topics(options);
  EXPECT_FALSE(waited.all_there);
  EXPECT_EQ(waited.answered, true);
}

TEST(AwaitTopics, GoesOnWhileNoBrokerAnswers) {
  KafkaOptions options = new_application(1);
  options.brokers = "127.0.0.1:1";
  const Waited waited = wait_for_topics(options);
  EXPECT_FALSE(waited.all_there);
  EXPECT_EQ(waited.answered, false);
}

}  // namespace
}  // namespace rfm
