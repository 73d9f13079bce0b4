#include "stream/kafka/kafka_group.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <cctype>
#include <memory>

#include "stream/kafka/kafka_handles.h"

namespace rfm {
namespace {

constexpr std::size_t kUuidLength = 36;  // 8-4-4-4-12

struct GroupListDeleter {
  void operator()(const rd_kafka_group_list* list) const noexcept {
    rd_kafka_group_list_destroy(list);
  }
};

bool is_lane_of(std::string_view name, const KafkaOptions& options) {
  const std::string prefix = fmt::format("{}-{}-", options.application, options.instance);
  if (!name.starts_with(prefix)) return false;
  const std::string_view lane = name.substr(prefix.size());
  return !lane.empty() && std::ranges::all_of(lane, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string_view instance_id_of(std::string_view member_id) {
  if (member_id.size() <= kUuidLength + 1) return member_id;
  const std::string_view uuid = member_id.substr(member_id.size() - kUuidLength);
  const bool is_uuid = std::ranges::all_of(
      uuid, [](char c) { return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  const std::size_t end = member_id.size() - kUuidLength - 1;
  return is_uuid && member_id[end] == '-' ? member_id.substr(0, end) : member_id;
}

std::optional<GroupMember> foreign_member(const std::vector<GroupMember>& members,
                                          const KafkaOptions& options) {
  const auto found = std::ranges::find_if(
      members, [&](const GroupMember& member) { return !is_lane_of(member.name, options); });
  if (found == members.end()) return std::nullopt;
  return *found;
}

absl::StatusOr<std::vector<GroupMember>> group_members(const KafkaOptions& options,
                                                       std::chrono::milliseconds limit) {
  absl::StatusOr<KafkaConf> conf = make_conf(options, {});
  if (!conf.ok()) return conf.status();
  absl::StatusOr<KafkaHandle> handle = make_handle(KafkaRole::kProducer, std::move(*conf));
  if (!handle.ok()) return handle.status();
  const rd_kafka_group_list* found = nullptr;
  const rd_kafka_resp_err_t code = rd_kafka_list_groups(handle->get(), options.application.c_str(),
                                                        &found, static_cast<int>(limit.count()));
  const std::unique_ptr<const rd_kafka_group_list, GroupListDeleter> groups(found);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return kafka_status(code, fmt::format("members of the group {}", options.application));
  std::vector<GroupMember> members;
  for (int i = 0; groups != nullptr && i < groups->group_cnt; ++i) {
    const rd_kafka_group_info& group = groups->groups[i];
    for (int m = 0; m < group.member_cnt; ++m) {
      const rd_kafka_group_member_info& member = group.members[m];
      members.push_back({std::string(instance_id_of(member.member_id)), member.client_host});
    }
  }
  return members;
}

}  // namespace rfm
