#include "stream/run/live_rules.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "stream/run/kafka_restore.h"

namespace rfm {

namespace {

constexpr std::chrono::seconds kAnswerMax{2};

}  // namespace

absl::StatusOr<RulesRecord> first_rules_record(const KafkaOptions& options,
                                               const std::map<std::string, std::string>& settings,
                                               std::int64_t first_start_ms) {
  const absl::StatusOr<std::vector<OffsetRange>> ranges = input_ranges(options);
  if (!ranges.ok()) return ranges.status();
  RulesRecord record{.settings = settings, .go_live = {}, .go_live_time = {}};
  record.first_start_ms = first_start_ms;
  for (const OffsetRange& range : *ranges) {
    record.begin.push_back(range.begin);
    record.go_live.push_back(range.end);
  }
  return record;
}

LiveRules::LiveRules(const KafkaOptions& options, ServiceHost& host,
                     std::vector<RulesRecord> records)
    : options_(options),
      host_(host),
      listener_(options.with_timeout(kAnswerMax)),
      records_(std::move(records)) {}

absl::Status LiveRules::read() {
  absl::StatusOr<RulesHistory> history = read_rules_history(records_, host_);
  if (!history.ok()) return history.status();
  history_ = *std::move(history);
  host_.on_rules(records_.back().settings);
  return absl::OkStatus();
}

absl::Status LiveRules::check_started() const {
  const RulesRecord& newest = records_.back();
  absl::Status same = host_.check_rules(newest.settings);
  if (same.ok()) return same;
  std::optional<RulesRequest> asked;
  const absl::Status heard = RequestListener(options_).listen([&](const Request& request) {
    const auto* const rules = std::get_if<RulesRequest>(&request);
    if (rules != nullptr && rules->base == newest.version) asked = *rules;
  });
  if (!heard.ok()) return heard;
  if (asked && host_.check_rules(asked->settings).ok()) return absl::OkStatus();
  // A service that ends must come up again, though nobody has brought its file in step.
  const auto before = std::ranges::find_if(
      records_.begin(), std::prev(records_.end()),
      [this](const RulesRecord& record) { return host_.check_rules(record.settings).ok(); });
  if (before->version == newest.version) return same;
  spdlog::warn(
      "the settings here are those of rules version {}, and version {} holds, which was applied "
      "since: bring them in step (`rfmstream rules show` prints it, `rules diff` what differs), or "
      "go back with `rfmstream rules rollback --to {}`",
      before->version, newest.version, before->version);
  return absl::OkStatus();
}

void LiveRules::take_requests(Trainer& trainer) {
  // A broker that does not answer is others' to say.
  (void)listener_.listen([&](const Request& request) {
    if (const auto* const rules = std::get_if<RulesRequest>(&request)) take(*rules, trainer);
    const auto* const held = std::get_if<PromoteRequest>(&request);
    if (held != nullptr && trainer.promote(held->epoch))
      spdlog::info("the clusters that are held are taken with the next epoch that is trained");
  });
}

void LiveRules::take(const RulesRequest& request, Trainer& trainer) {
  const RulesRecord& newest = records_.back();
  if (request.base < newest.version) {
    // One that was taken up stays in the topic.
    const auto next = static_cast<std::size_t>(request.base);
    if (next < records_.size() && records_[next].settings != request.settings)
      spdlog::warn("a request to change rules version {} is dropped: version {} came first",
                   request.base, request.base + 1);
    return;
  }
  const absl::StatusOr<LaterRules> later = next_rules(history_, newest, request, host_);
  if (!later.ok()) {
    spdlog::error("a request to change rules version {} is refused: {}", newest.version,
                  std::string(later.status().message()));
    return;
  }
  spdlog::info(
      "rules version {} is taken up: it will be logged with the boundary at which it holds",
      later->record.version);
  records_.push_back(later->record);
  history_.later.push_back(*later);
  trainer.change_rules(*later);
  host_.on_rules(records_.back().settings);
}

}  // namespace rfm
