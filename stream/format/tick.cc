#include "stream/format/tick.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <chrono>
#include <optional>

#include "stream/text/time_text.h"

namespace rfm {

std::string encode_tick(const Tick& tick) {
  if (tick.contributes)
    return fmt::format("{{\"offset\":{},\"contributes\":{}}}", tick.offset, *tick.contributes);
  return fmt::format("{{\"offset\":{},\"time\":\"{}\"}}", tick.offset, to_rfc3339(tick.time));
}

absl::StatusOr<Tick> decode_tick(std::string_view value) {
  const auto damaged = [&] { return absl::DataLossError(fmt::format("not a tick: {}", value)); };
  simdjson::dom::parser parser;
  simdjson::dom::object json;
  if (parser.parse(value.data(), value.size()).get_object().get(json)) return damaged();
  Tick tick;
  if (json["offset"].get_int64().get(tick.offset)) return damaged();
  std::string_view time;
  const bool has_time = !json["time"].get_string().get(time);
  if (std::int64_t epoch = 0; !json["contributes"].get_int64().get(epoch)) {
    tick.contributes = epoch;
    return has_time ? absl::StatusOr<Tick>(damaged()) : tick;
  }
  if (!has_time) return damaged();
  const std::optional<EventTime> at = TimeReader(std::chrono::minutes{0}).read(time);
  if (!at) return damaged();
  tick.time = *at;
  return tick;
}

}  // namespace rfm
