#include "stream/run/lane_report.h"

#include <algorithm>
#include <optional>

#include "state/epoch.h"

namespace rfm {
namespace {

PartitionStatus status_of(const Partition& partition, const Lane& lane, const EventSource& source) {
  const PartitionMeta& meta = partition.meta();
  const std::int64_t unapplied =
      std::max<Offset>(source.next_offset(partition.id()) - meta.next_offset, 0);
  return {.partition = partition.id(),
          .records_behind = source.records_behind(partition.id()) + unapplied,
          .records_held = lane.waits_for_model(partition.id()) ? unapplied : 0,
          .started = meta.started,
          .event_time = meta.max_event_time,
          .watermark = meta.watermark,
          .epoch_crossed = meta.crossed,
          .is_crossing = partition.is_unfinished(),
          .customers = partition.rows().size(),
          .bytes = partition.rows().bytes(),
          .book_cells = partition.books().cells().size(),
          .book_bytes = partition.books().cells().bytes()};
}

// The one in force where `partition` is.
void note_model(const ModelTimeline& models, const Partition& partition, ServiceStatus& report) {
  const PartitionMeta& meta = partition.meta();
  if (!meta.started || !models.knows(meta.crossed)) return;
  const ModelVersion& version = *models.effective_in(meta.crossed);
  if (version.number <= report.model_number) return;
  report.model_number = version.number;
  report.model_since = boundary_of(version.trained_epoch + 1);
  const std::optional<std::int64_t> held_since = models.held_since(meta.crossed);
  report.model_held_since.reset();
  if (held_since) report.model_held_since = boundary_of(*held_since);
}

}  // namespace

ServiceStatus lane_report(const Lane& lane, const EventSource& source) {
  ServiceStatus report;
  report.counters = lane.counters();
  for (const Partition* partition : lane.partitions()) {
    report.partitions.push_back(status_of(*partition, lane, source));
    report.records_behind += report.partitions.back().records_behind;
    report.event_time = std::max(report.event_time, report.partitions.back().event_time);
    note_model(lane.models(), *partition, report);
  }
  report.silence = lane.silence();
  report.held_back = lane.held_back();
  report.commits = lane.figures().commits;
  report.lanes.push_back({.is_held_back = report.held_back.has_value(), .figures = lane.figures()});
  return report;
}

}  // namespace rfm
