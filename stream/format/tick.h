// How event time moves on while an input partition is silent: records of the log <app>-ticks, which
// a replay follows.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "state/event_time.h"
#include "stream/record/record.h"

namespace rfm {

// After all records before `offset` of its partition, the clock moves to `time`.
struct Tick {
  Offset offset = 0;
  EventTime time{};

  friend bool operator==(const Tick&, const Tick&) = default;
};

// {"offset":12,"time":"2024-01-01T00:00:00.000Z"}
std::string encode_tick(const Tick& tick);
// kDataLoss: not what encode_tick writes.
absl::StatusOr<Tick> decode_tick(std::string_view value);

}  // namespace rfm
