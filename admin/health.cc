#include "admin/health.h"

#include <fmt/format.h>

#include <algorithm>

#include "stream/text/json_text.h"
#include "stream/text/text_buffer.h"

namespace rfm {
namespace {

std::string with_newline(const TextBuffer& json) { return std::string(json.view()) + '\n'; }

void add_phase(const ServiceStatus& status, std::vector<Obstacle>& found) {
  switch (status.phase) {
    case ServicePhase::kStarting:
      found.push_back({"starting", "topics, leftovers and the model log are looked at"});
      break;
    case ServicePhase::kRebuilding:
      found.push_back({"rebuilding",
                       "it failed and begins again from the last commit; the log "
                       "says why"});
      break;
    case ServicePhase::kAwaitingTopics:
      found.push_back({"topic_gone", status.why});
      break;
    case ServicePhase::kRunning:
      break;
  }
}

void add_lanes(const ProbeContext& context, std::vector<Obstacle>& found) {
  for (const LaneStatus& lane : context.status.lanes) {
    if (lane.is_restoring) {
      found.push_back({"restoring", fmt::format("lane {} restores its partitions", lane.lane)});
    }
    if (lane.is_held_back) {
      found.push_back({"held_back", fmt::format("lane {} reads no further, because of dead letters "
                                                "(input.dead_letters_action); the log has an "
                                                "example",
                                                lane.lane)});
    }
  }
  for (const StuckLane& lane : stuck_lanes(context)) {
    found.push_back({"stuck", fmt::format("the loop of lane {} has not turned for {} s", lane.lane,
                                          lane.silent.count())});
  }
}

}  // namespace

std::vector<StuckLane> stuck_lanes(const ProbeContext& context) {
  std::vector<StuckLane> stuck;
  if (context.status.phase != ServicePhase::kRunning) return stuck;
  for (const LaneStatus& lane : context.status.lanes) {
    const auto silent = context.now - lane.turned_at;
    if (lane.is_restoring || silent < context.stuck_after) continue;
    stuck.push_back(
        {.lane = lane.lane, .silent = std::chrono::duration_cast<std::chrono::seconds>(silent)});
  }
  return stuck;
}

std::vector<Obstacle> obstacles(const ProbeContext& context) {
  const ServiceStatus& status = context.status;
  std::vector<Obstacle> found;
  if (context.is_stopping) found.push_back({"stopping", "it commits and ends"});
  add_phase(status, found);
  if (status.is_stored) return found;
  if (!status.broker_answers)
    found.push_back({"no_broker", "no broker of kafka.brokers has answered the last question"});
  add_lanes(context, found);
  // What a lane restores it owns only afterwards: nothing else is in the way.
  const bool restores = std::ranges::any_of(status.lanes, &LaneStatus::is_restoring);
  if (status.phase == ServicePhase::kRunning && !restores &&
      status.partitions_owned < status.partition_count) {
    found.push_back({"not_assigned", fmt::format("{} of {} partitions are owned by this process",
                                                 status.partitions_owned, status.partition_count)});
  }
  return found;
}

ProbeAnswer health(const ProbeContext& context) {
  const std::vector<StuckLane> stuck = stuck_lanes(context);
  TextBuffer text;
  JsonText json(text);
  json.begin_object();
  json.key("healthy").boolean(stuck.empty());
  json.key("phase").text(name(context.status.phase));
  json.key("stuck").begin_array();
  for (const StuckLane& lane : stuck) {
    json.begin_object();
    json.key("lane").integer(lane.lane);
    json.key("seconds").integer(lane.silent.count());
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return {.is_good = stuck.empty(), .json = with_newline(text)};
}

ProbeAnswer readiness(const ProbeContext& context) {
  const std::vector<Obstacle> found = obstacles(context);
  TextBuffer text;
  JsonText json(text);
  json.begin_object();
  json.key("ready").boolean(found.empty());
  json.key("reasons").begin_array();
  for (const Obstacle& obstacle : found) {
    json.begin_object();
    json.key("reason").text(obstacle.reason);
    json.key("detail").text(obstacle.detail);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return {.is_good = found.empty(), .json = with_newline(text)};
}

}  // namespace rfm
