// What the service says of its input, where it is not as one would think.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "model/model_version.h"
#include "stream/kafka/kafka_options.h"
#include "stream/record/broker_time.h"
#include "stream/run/service_status.h"

namespace rfm {

class ServiceNotices {
 public:
  // That this machine's clock and the broker's disagree, or agree again.
  static void say_clocks(BrokerTime& time);

  // That years without a record are gone through, once, and when they are over. `longest`: of all
  // partitions.
  void say_silence(const Silence& longest);

  // That customers are in two partitions, once.
  void say_split(const SplitCustomers& split);

  // That an operator may promote clusters, once for each that are held. `newest`: null if none.
  void say_held(const ModelVersion* newest);

  // That partitions have been without this process for a while, and who else is there.
  void say_unowned(const ServiceStatus& status, const KafkaOptions& options,
                   std::chrono::steady_clock::time_point now);

 private:
  bool silence_said_ = false;
  bool split_said_ = false;
  std::optional<std::int64_t> held_said_;  // Since when they were held.
  // When all partitions were owned last, or it was said; absent: nobody has looked.
  std::optional<std::chrono::steady_clock::time_point> all_owned_;
};

}  // namespace rfm
