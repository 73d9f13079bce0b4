// One life of the service's pipeline: lanes, trainer and producers over the state, from recovery to
// a stop or a failure.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "state/rocksdb_state_store.h"
#include "stream/kafka/kafka_sink.h"
#include "stream/kafka/kafka_source.h"
#include "stream/kafka/rebalance_listener.h"
#include "stream/kafka/trainer_producer.h"
#include "stream/pipeline/customer_places.h"
#include "stream/pipeline/lane.h"
#include "stream/pipeline/trainer.h"
#include "stream/record/broker_time.h"
#include "stream/record/clock.h"
#include "stream/record/stop_limit.h"
#include "stream/run/live_rules.h"
#include "stream/run/reaction.h"
#include "stream/run/service_host.h"
#include "stream/run/service_notices.h"
#include "stream/run/service_options.h"
#include "stream/run/start_check.h"
#include "stream/run/topic_watch.h"

namespace rfm {

class ServicePipeline {
 public:
  // What outlives one life.
  struct Lasting {
    BrokerTime time;
    std::optional<RulesRecord> first_rules = {};  // As of the first start, while none are logged.
    bool rules_checked = false;                   // At the start; from there on it follows the log.
    TopicScrutiny scrutiny = TopicScrutiny::kSettings;  // Of the next life's start.
    ServiceStatus status = {};                          // As said last.
    std::vector<LaneFigures> figures = {};              // One a lane.
    StoreFigures store_before = {};                     // Counted before the state was opened anew.
  };

  ServicePipeline(const ServiceOptions& options, ServiceHost& host, const Clock& clock,
                  Lasting& lasting, const StopLimit& stop, RocksdbStateStore& store)
      : options_(options),
        host_(host),
        clock_(clock),
        lasting_(lasting),
        time_(lasting.time),
        stop_(stop),
        store_(store) {}

  // How it ended.
  PipelineEnd run();

 private:
  struct LaneThread final : RebalanceListener {
    LaneThread(ServicePipeline& owner, int lane_number) : pipeline(owner), number(lane_number) {}

    absl::StatusOr<std::vector<std::pair<PartitionId, Offset>>> on_assigned(
        const std::vector<PartitionId>& partitions) override {
      return pipeline.assign(*this, partitions);
    }
    void on_revoked(const std::vector<PartitionId>& /*all*/, Revocation how) override {
      revoke(*this, how);
    }

    ServicePipeline& pipeline;
    const int number;
    bool assigned = false;               // The group has said which partitions it owns, maybe none.
    std::uint64_t records_before = 0;    // Read for assignments that are over.
    std::uint64_t records_restored = 0;  // Of what the partitions owned have ever read.
    std::unique_ptr<KafkaSource> source;
    std::unique_ptr<KafkaSink> sink;
    std::unique_ptr<Lane> lane;
    std::thread thread;
    absl::Status status;
    std::mutex mutex;      // Guards `report`.
    ServiceStatus report;  // Written by the lane's thread only; of one lane.
    std::chrono::steady_clock::time_point reported{};
    std::chrono::nanoseconds cpu_seen{0};  // Of the lane's thread.
  };

  // The lane's loop waits for its partitions meanwhile.
  class Restoring {
   public:
    explicit Restoring(LaneThread& lane) : lane_(lane) { say(true); }
    Restoring(const Restoring&) = delete;
    Restoring& operator=(const Restoring&) = delete;
    ~Restoring() { say(false); }

   private:
    void say(bool restores) {
      const std::scoped_lock lock(lane_.mutex);
      lane_.report.lanes.front().is_restoring = restores;
      lane_.report.lanes.front().turned_at = lane_.pipeline.clock_.steady();
    }
    LaneThread& lane_;
  };

  absl::Status live();
  absl::Status open_producers();
  absl::Status open_trainer_producer();
  absl::Status open_lane(int index);
  absl::Status open_model();
  absl::StatusOr<std::vector<std::pair<PartitionId, Offset>>> assign(
      LaneThread& lane, const std::vector<PartitionId>& partitions);
  QueryDesk* desk_of(const LaneThread& lane) const;
  static void revoke(LaneThread& lane, Revocation revocation);
  absl::Status drive(LaneThread& lane);
  void publish_report(LaneThread& lane);
  void say_status(const TopicWatch& watch);

  const ServiceOptions& options_;
  ServiceHost& host_;
  const Clock& clock_;
  Lasting& lasting_;
  BrokerTime& time_;
  const StopLimit& stop_;
  RocksdbStateStore& store_;
  int partition_count_ = 0;
  RulesRecord rules_record_;  // The newest at the start.
  std::optional<LiveRules> rules_;
  std::vector<LossRecord> losses_;  // Of the model log.
  std::unique_ptr<TrainerProducer> producer_;
  std::unique_ptr<Trainer> trainer_;
  std::vector<std::unique_ptr<LaneThread>> lanes_;
  CustomerPlaces places_;
  ServiceNotices notices_;
  StoreFigures store_figures_;
  std::chrono::steady_clock::time_point looked_at_store_{};
  std::atomic<bool> stopping_ = false;
  std::optional<std::chrono::steady_clock::time_point> restored_;  // When some first were.
};

}  // namespace rfm
