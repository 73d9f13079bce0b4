#include "stream/app/log_output.h"

#include <pthread.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "state/event_time.h"
#include "stream/text/json_text.h"
#include "stream/text/text_buffer.h"
#include "stream/text/time_text.h"
#include "stream/text/utf8.h"

namespace rfm {
namespace {

// The number behind `word` at the beginning of `text`.
std::optional<std::int64_t> number_after(std::string_view word, std::string_view text) {
  if (!text.starts_with(word)) return std::nullopt;
  text.remove_prefix(word.size());
  std::int64_t number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc())
    return std::nullopt;
  return number;
}

std::optional<std::int64_t> lane_of_this_thread() {
  std::array<char, 16> name{};  // The most that there can be.
  if (pthread_getname_np(pthread_self(), name.data(), name.size()) != 0) return std::nullopt;
  return number_after("lane-", name.data());
}

class JsonFormatter final : public spdlog::formatter {
 public:
  // Runs on the thread that logs.
  void format(const spdlog::details::log_msg& line, spdlog::memory_buf_t& to) override {
    const std::string_view text(line.payload.data(), line.payload.size());
    const auto level = spdlog::level::to_string_view(line.level);
    const auto since = line.time.time_since_epoch();
    std::optional<std::int64_t> lane = number_after("lane ", text);
    if (!lane) lane = lane_of_this_thread();
    const std::optional<std::int64_t> partition = number_after("partition ", text);
    out_.clear();
    JsonText json(out_);
    json.begin_object();
    json.key("time").text(Rfc3339Text(from_ms(ms_of(since))).view());
    json.key("level").text({level.data(), level.size()});
    if (lane) json.key("lane").integer(*lane);
    if (partition) json.key("partition").integer(*partition);
    json.key("message").text(with_replacements(text));
    json.end_object();
    out_.append('\n');
    to.append(out_.view().data(), out_.view().data() + out_.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>();
  }

 private:
  static std::int64_t ms_of(spdlog::log_clock::duration since) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  }

  TextBuffer out_;
};

}  // namespace

std::unique_ptr<spdlog::formatter> json_log_formatter() {
  return std::make_unique<JsonFormatter>();
}

void log_to_standard_error(const std::string& level, LogFormat format) {
  auto logger = std::make_shared<spdlog::logger>("rfmstream",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
  if (format == LogFormat::kJson) {
    logger->set_formatter(json_log_formatter());
  } else {
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %-7l %v", spdlog::pattern_time_type::utc);
  }
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

void log_failure(std::string_view why) { spdlog::critical("{}", why); }

}  // namespace rfm
