#include "admin/pipeline_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "stream/text/json_text.h"
#include "stream/text/text_buffer.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr int kDigits = 6;

std::int64_t integer_of(std::uint64_t count) { return static_cast<std::int64_t>(count); }

void write_time(JsonText& out, std::string_view key, EventTime time) {
  if (time == kBeforeAll) {
    out.key(key).raw("null");
  } else {
    out.key(key).text(to_rfc3339(time));
  }
}

void write_partitions(JsonText& out, const ServiceStatus& status) {
  out.key("partitions").begin_array();
  for (const PartitionStatus& p : status.partitions) {
    out.begin_object();
    out.key("id").integer(p.partition);
    out.key("lag").integer(p.records_behind);
    out.key("held").integer(p.records_held);
    if (p.started && status.broker_ms && p.records_behind > 0) {
      const double lag = static_cast<double>(*status.broker_ms - to_ms(p.event_time)) / 1'000;
      out.key("lag_seconds").fixed(std::max(0.0, lag), kDigits);
    } else {
      out.key("lag_seconds").integer(0);
    }
    write_time(out, "event_time", p.started ? p.event_time : kBeforeAll);
    write_time(out, "watermark", p.started ? p.watermark : kBeforeAll);
    out.key("crossing").boolean(p.is_crossing);
    out.key("customers").integer(integer_of(p.customers));
    out.key("bytes").integer(integer_of(p.bytes));
    out.end_object();
  }
  out.end_array();
}

// What was counted for each reason; `more` writes what else is known of one.
template <class Reason, class Counts, class More>
void write_reasons(JsonText& out, std::string_view key, const Counts& counts, More more) {
  out.key(key).begin_array();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    out.begin_object();
    out.key("reason").text(name(static_cast<Reason>(i)));
    out.key("records").integer(integer_of(counts[i]));
    more(i);
    out.end_object();
  }
  out.end_array();
}

void write_dead_letters(JsonText& out, const ServiceStatus& status) {
  DeadLetterPlaces places;
  for (const LaneStatus& lane : status.lanes) merge(places, lane.figures.dead_letters);
  write_reasons<DeadLetterReason>(
      out, "dead_letters", status.counters.dead_lettered, [&](std::size_t i) {
        if (const std::optional<RecordPlace>& place = places[i])
          out.key("sample").text(
              fmt::format("partition {}, offset {}", place->partition, place->offset));
      });
}

void write_outcomes(JsonText& out, const OutcomeCounters& counters) {
  out.key("outcomes").begin_object();
  out.key("records").integer(integer_of(counters.records));
  out.key("applied").integer(integer_of(counters.applied));
  out.key("duplicate").integer(integer_of(counters.duplicate));
  out.key("ignored").integer(integer_of(counters.ignored_total()));
  out.key("erased").integer(integer_of(counters.erased));
  out.key("dead_letter").integer(integer_of(counters.dead_lettered_total()));
  out.key("late").integer(integer_of(counters.late));
  out.end_object();
  write_reasons<IgnoredReason>(out, "ignored", counters.ignored, [](std::size_t) {});
}

void write_work(JsonText& out, const ServiceStatus& status) {
  out.key("commits").begin_object();
  out.key("count").integer(integer_of(status.commits.commits));
  out.key("gap_max_ms").integer(status.commits.gap_max.count());
  out.key("records_max").integer(integer_of(status.commits.records_max));
  out.key("bytes_max").integer(integer_of(status.commits.bytes_max));
  out.end_object();
  std::size_t customers = 0;
  std::size_t bytes = 0;
  for (const PartitionStatus& p : status.partitions) {
    customers += p.customers;
    bytes += p.bytes;
  }
  out.key("memory").begin_object();
  out.key("customers").integer(integer_of(customers));
  out.key("bytes").integer(integer_of(bytes));
  out.end_object();
}

}  // namespace

std::string pipeline_json(const ProbeContext& context) {
  const ServiceStatus& status = context.status;
  TextBuffer text;
  JsonText out(text);
  out.begin_object();
  out.key("phase").text(name(status.phase));
  out.key("stored").boolean(status.is_stored);
  out.key("caught_up").boolean(status.caught_up);
  write_time(out, "as_of", status.event_time);
  out.key("records").integer(integer_of(status.records));
  out.key("lag").integer(status.records_behind);
  out.key("partitions_held").integer(status.partitions_owned);
  out.key("partitions_total").integer(status.partition_count);
  write_partitions(out, status);
  write_outcomes(out, status.counters);
  write_dead_letters(out, status);
  write_work(out, status);
  out.key("model_version").integer(status.model_number);
  out.key("obstacles").begin_array();
  for (const Obstacle& obstacle : obstacles(context)) {
    out.begin_object();
    out.key("reason").text(obstacle.reason);
    out.key("detail").text(obstacle.detail);
    out.end_object();
  }
  out.end_array();
  out.end_object();
  return std::string(text.view());
}

}  // namespace rfm
