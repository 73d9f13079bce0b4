#include "stream/format/tick.h"

#include <fmt/format.h>
#include <rapidjson/document.h>

#include <chrono>
#include <optional>

#include "stream/text/time_text.h"

namespace rfm {

std::string encode_tick(const Tick& tick) {
  return fmt::format("{{\"offset\":{},\"time\":\"{}\"}}", tick.offset, to_rfc3339(tick.time));
}

absl::StatusOr<Tick> decode_tick(std::string_view value) {
  rapidjson::Document json;
  json.Parse(value.data(), value.size());
  const auto damaged = [&] { return absl::DataLossError(fmt::format("not a tick: {}", value)); };
  const bool is_tick = !json.HasParseError() && json.IsObject() && json.HasMember("offset") &&
                       json["offset"].IsInt64() && json.HasMember("time") &&
                       json["time"].IsString();
  if (!is_tick) return damaged();
  const std::optional<EventTime> at =
      TimeReader(std::chrono::minutes{0}).read(json["time"].GetString());
  if (!at) return damaged();
  return Tick{.offset = json["offset"].GetInt64(), .time = *at};
}

}  // namespace rfm
