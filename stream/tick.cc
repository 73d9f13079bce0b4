#include "stream/tick.h"

#include <fmt/format.h>
#include <rapidjson/document.h>

#include <chrono>
#include <optional>

#include "stream/time_text.h"

namespace rfm {

std::string encode_tick(const Tick& tick) {
  return fmt::format("{{\"offset\":{},\"time\":\"{}\"}}", tick.offset, to_rfc3339(tick.time));
}

absl::StatusOr<Tick> decode_tick(std::string_view value) {
  rapidjson::Document json;
  json.Parse(value.data(), value.size());
  const auto damaged = [&] { return absl::DataLossError(fmt::format("not a tick: {}", value)); };
  if (json.HasParseError() || !json.IsObject()) return damaged();
  const auto offset = json.FindMember("offset");
  const auto time = json.FindMember("time");
  if (offset == json.MemberEnd() || !offset->value.IsInt64() || time == json.MemberEnd() ||
      !time->value.IsString())
    return damaged();
  const std::optional<EventTime> at =
      TimeReader(std::chrono::minutes{0})
          .read({time->value.GetString(), time->value.GetStringLength()});
  if (!at) return damaged();
  return Tick{.offset = offset->value.GetInt64(), .time = *at};
}

}  // namespace rfm
