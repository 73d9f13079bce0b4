// What a service chose by the wall clock while an input partition was silent: how event time moved
// on and what it contributed to training. Records of the log <app>-ticks, which a replay follows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "state/event_time.h"
#include "stream/record/record.h"

namespace rfm {

// After all records before `offset` of its partition and the ticks that stand before this one, the
// clock moves to `time`; or the clock stays, and the partition contributes as it is for all
// boundaries up to that of the epoch `contributes` for which it has not yet.
struct Tick {
  Offset offset = 0;
  EventTime time{};
  std::optional<std::int64_t> contributes = std::nullopt;

  friend bool operator==(const Tick&, const Tick&) = default;
};

// {"offset":12,"time":"2024-01-01T00:00:00.000Z"} or {"offset":12,"contributes":19723}
std::string encode_tick(const Tick& tick);
// kDataLoss: not what encode_tick writes.
absl::StatusOr<Tick> decode_tick(std::string_view value);

}  // namespace rfm
