#include "stream/run/service.h"

#include <spdlog/spdlog.h>

#include <memory>
#include <string>

#include "state/rocksdb_state_store.h"
#include "stream/run/reaction.h"
#include "stream/run/service_pipeline.h"
#include "stream/run/sole_instance.h"
#include "stream/run/stop_poll.h"
#include "stream/run/topic_watch.h"

namespace rfm {
namespace {

void note(const ReactionPolicy::Decision& decision, ServiceStatus& status) {
  ++status.reactions[static_cast<std::size_t>(decision.reaction)];
  if (decision.reaction == Reaction::kEnd) return;  // What was said last stands.
  status.disown(decision.reaction == Reaction::kAwaitTopics ? ServicePhase::kAwaitingTopics
                                                            : ServicePhase::kRebuilding,
                std::string(decision.status.message()));
  status.broker_answers =
      !absl::IsUnavailable(decision.status) && !absl::IsDeadlineExceeded(decision.status);
}

void say_answered(bool answered, ServiceStatus& status, ServiceHost& host) {
  if (status.broker_answers == answered) return;
  status.broker_answers = answered;
  host.on_status(status);
}

}  // namespace

absl::Status run_service(const ServiceOptions& given, ServiceHost& host, const Clock& clock) {
  StopLimit stop;
  ServiceOptions options = given;
  for (KafkaOptions& kafka : options.kafka) kafka.stop = &stop;
  const KafkaOptions& kafka = options.kafka.front();
  const StopPoll poll(host, stop);
  const RocksdbOptions rocksdb{.directory = options.state_directory};
  absl::StatusOr<std::unique_ptr<RocksdbStateStore>> store = open_rocksdb_store(rocksdb);
  ServicePipeline::Lasting lasting{.time = BrokerTime(clock)};
  lasting.figures.resize(options.kafka.size());
  lasting.status.broker_answers = true;
  ReactionPolicy policy(lane_name(kafka));
  while (true) {
    const PipelineEnd end =
        store.ok() ? ServicePipeline(options, host, clock, lasting, stop, **store).run()
                   : PipelineEnd{.status = store.status(), .stop_asked = stop.asked()};
    const ReactionPolicy::Decision decision = policy.decide(end, clock.steady());
    const std::string why(decision.status.message());
    note(decision, lasting.status);
    if (decision.reaction != Reaction::kEnd) host.on_status(lasting.status);
    switch (decision.reaction) {
      case Reaction::kEnd:
        return absl::IsPermissionDenied(decision.status) ? with_rival(decision.status, kafka)
                                                         : decision.status;
      case Reaction::kSetAside: {
        if (store.ok()) lasting.store_before.add_counters((*store)->figures());
        if (store.ok()) store->reset();  // Nothing may have the directory open.
        const absl::StatusOr<std::string> aside = set_aside(options.state_directory);
        if (!aside.ok()) return aside.status();
        spdlog::error("{}: the state is set aside as {} and restored", why, *aside);
        store = open_rocksdb_store(rocksdb);
        break;
      }
      case Reaction::kAwaitTopics:
        if (!await_topics(kafka, why,
                          [&](bool answered) { say_answered(answered, lasting.status, host); }))
          return decision.status;
        lasting.scrutiny = TopicScrutiny::kSettings;  // What is there now may be set up otherwise.
        break;
      case Reaction::kRebuild:
        spdlog::warn("rebuilding from the last commit in {} ms: {}", decision.pause.count(), why);
        if (!sleep_unless_stopped(decision.pause, stop)) return decision.status;
        break;
    }
  }
}

}  // namespace rfm
