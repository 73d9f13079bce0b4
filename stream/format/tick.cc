#include "stream/format/tick.h"

#include <fmt/format.h>
#include <rapidjson/document.h>

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
  rapidjson::Document json;
  json.Parse(value.data(), value.size());
  const auto damaged = [&] { return absl::DataLossError(fmt::format("not a tick: {}", value)); };
  const bool is_record = !json.HasParseError() && json.IsObject() && json.HasMember("offset") &&
                         json["offset"].IsInt64() &&
                         json.HasMember("time") != json.HasMember("contributes");
  if (!is_record) return damaged();
  Tick tick{.offset = json["offset"].GetInt64()};
  if (json.HasMember("contributes")) {
    if (!json["contributes"].IsInt64()) return damaged();
    tick.contributes = json["contributes"].GetInt64();
    return tick;
  }
  if (!json["time"].IsString()) return damaged();
  const std::optional<EventTime> at =
      TimeReader(std::chrono::minutes{0}).read(json["time"].GetString());
  if (!at) return damaged();
  tick.time = *at;
  return tick;
}

}  // namespace rfm
