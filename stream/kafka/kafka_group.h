// Who is in the application's consumer group now.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "stream/kafka/kafka_options.h"

namespace rfm {

struct GroupMember {
  std::string name;  // A static member's group.instance.id; else the id the group gave it.
  std::string host;
};

// Members whose session has not timed out: one that ended without leaving, as a static member does,
// is among them until then.
absl::StatusOr<std::vector<GroupMember>> group_members(const KafkaOptions& options,
                                                       std::chrono::milliseconds limit);

// The static part of a member's id "<group.instance.id>-<uuid>".
std::string_view instance_id_of(std::string_view member_id);

// The first of `members` that is no lane of this instance of the application.
std::optional<GroupMember> foreign_member(const std::vector<GroupMember>& members,
                                          const KafkaOptions& options);

}  // namespace rfm
