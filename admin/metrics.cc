#include "admin/metrics.h"

#include <fmt/format.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <utility>
#include <vector>

#include "stream/decode/event.h"

namespace rfm {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

double real(std::integral auto count) { return static_cast<double>(count); }
double seconds(EventTime time) { return real(to_ms(time)) / 1000; }
double flag(bool holds) { return holds ? 1 : 0; }

// The families of one exposition, in the order in which they are begun.
class Exposition {
 public:
  void gauge(std::string_view name, std::string_view help) { begin(MetricType::Gauge, name, help); }
  void counter(std::string_view name, std::string_view help) {
    begin(MetricType::Counter, name, help);
  }
  // A sample of the family begun last.
  void add(double value, Labels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    (families_.back().type == MetricType::Gauge ? metric.gauge.value : metric.counter.value) =
        value;
    families_.back().metric.push_back(std::move(metric));
  }
  // A family of one sample.
  void gauge(std::string_view name, double value, std::string_view help) {
    gauge(name, help);
    add(value);
  }
  void counter(std::string_view name, double value, std::string_view help) {
    counter(name, help);
    add(value);
  }
  void histogram(std::string_view name, const Histogram& values, std::string_view help) {
    begin(MetricType::Histogram, name, help);
    ClientMetric metric;
    for (std::size_t i = 0; i < values.bounds.size(); ++i) {
      metric.histogram.sample_count += values.counts[i];
      metric.histogram.bucket.push_back({metric.histogram.sample_count, values.bounds[i]});
    }
    metric.histogram.sample_count = values.count();  // The serializer adds the bucket above all.
    metric.histogram.sample_sum = values.sum;
    families_.back().metric.push_back(std::move(metric));
  }
  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  void begin(MetricType type, std::string_view name, std::string_view help) {
    prometheus::MetricFamily& family = families_.emplace_back();
    family.name = name;
    family.help = help;
    family.type = type;
  }

  std::vector<prometheus::MetricFamily> families_;
};

LaneFigures sum_of(const std::vector<LaneStatus>& lanes) {
  LaneFigures sum;
  for (const LaneStatus& lane : lanes) sum.add(lane.figures);
  return sum;
}

void add_process(const std::optional<ProcessFigures>& process, std::string_view version,
                 Exposition& out) {
  out.gauge("rfmstream_build_info", "Which version runs: always 1.");
  out.add(1, {{"version", std::string(version)}});
  const ProcessFigures figures = process.value_or(ProcessFigures{});
  out.counter("process_cpu_seconds_total", figures.cpu_seconds,
              "CPU time of the process, user and system.");
  out.gauge("process_resident_memory_bytes", real(figures.resident_bytes),
            "Resident memory of the process.");
  out.gauge("process_virtual_memory_bytes", real(figures.virtual_bytes),
            "Virtual memory of the process.");
  out.gauge("process_open_fds", real(figures.open_files), "Open file descriptors.");
  out.gauge("process_max_fds", real(figures.files_max), "How many may be open.");
  out.gauge("process_start_time_seconds", figures.start_time_seconds,
            "When the process started, since 1970-01-01 UTC.");
}

void add_service(const ProbeContext& context, Exposition& out) {
  const ServiceStatus& status = context.status;
  out.gauge("rfmstream_ready", flag(obstacles(context).empty()), "1: as /readyz says.");
  out.gauge("rfmstream_phase", "1 for what the service does now.");
  for (const auto phase : {ServicePhase::kStarting, ServicePhase::kRunning,
                           ServicePhase::kRebuilding, ServicePhase::kAwaitingTopics})
    out.add(flag(status.phase == phase), {{"phase", std::string(name(phase))}});
  out.gauge("rfmstream_broker_answers",
            "1: a broker has answered the last question; no sample where none is asked (serve).");
  if (!status.is_stored) out.add(flag(status.broker_answers));
  out.counter("rfmstream_rebuilds_total",
              "Lives of the pipeline that ended with a failure, by what followed: rebuild (from "
              "the last commit), set_aside (a damaged state), await_topics (one is gone).");
  for (const auto& [reaction, text] :
       {std::pair{Reaction::kRebuild, "rebuild"}, std::pair{Reaction::kSetAside, "set_aside"},
        std::pair{Reaction::kAwaitTopics, "await_topics"}})
    out.add(real(status.reactions[static_cast<std::size_t>(reaction)]), {{"reaction", text}});
  out.gauge("rfmstream_partitions", real(status.partition_count),
            "Partitions of the input; 0 until it has been looked at.");
  out.gauge("rfmstream_partitions_owned", real(status.partitions_owned),
            "Of these, by this "
            "process.");
  out.counter("rfmstream_clock_jumps_total", real(status.clock_jumps),
              "How often this machine's clock moved against the broker's by more than 10 s.");
  out.gauge("rfmstream_split_customers", real(status.split.count),
            "Customers whose records come in several partitions.");
  out.gauge("rfmstream_lane_idle_seconds", "How long ago the loop of the lane turned.");
  for (const LaneStatus& lane : status.lanes) {
    const std::chrono::duration<double> idle = context.now - lane.turned_at;
    out.add(idle.count(), {{"lane", fmt::format("{}", lane.lane)}});
  }
  out.gauge("rfmstream_lane_restoring", "1: the lane restores its partitions.");
  for (const LaneStatus& lane : status.lanes)
    out.add(flag(lane.is_restoring), {{"lane", fmt::format("{}", lane.lane)}});
  out.gauge("rfmstream_lane_held_back", "1: the lane reads no further, because of dead letters.");
  for (const LaneStatus& lane : status.lanes)
    out.add(flag(lane.is_held_back), {{"lane", fmt::format("{}", lane.lane)}});
}

// A sample for each value of a Reason, which numbers `counts`.
template <class Reason>
void add_by_reason(const auto& counts, Exposition& out) {
  for (std::size_t i = 0; i < counts.size(); ++i)
    out.add(real(counts[i]), {{"reason", std::string(name(static_cast<Reason>(i)))}});
}

void add_outcomes(const OutcomeCounters& outcomes, Exposition& out) {
  out.counter("rfmstream_records_total",
              "Records of the input by outcome; each has one: applied, duplicate, ignored, erased "
              "or dead_letter.");
  out.add(real(outcomes.applied), {{"outcome", "applied"}});
  out.add(real(outcomes.duplicate), {{"outcome", "duplicate"}});
  out.add(real(outcomes.ignored_total()), {{"outcome", "ignored"}});
  out.add(real(outcomes.erased), {{"outcome", "erased"}});
  out.add(real(outcomes.dead_lettered_total()), {{"outcome", "dead_letter"}});
  out.counter("rfmstream_ignored_records_total", "Of these, those that are ignored, by reason.");
  add_by_reason<IgnoredReason>(outcomes.ignored, out);
  out.counter("rfmstream_dead_letters_total",
              "Of these, those that went to the dead letters, by reason.");
  add_by_reason<DeadLetterReason>(outcomes.dead_lettered, out);
  out.counter("rfmstream_late_records_total", real(outcomes.late),
              "Applied records that were older than their customer's clock.");
  out.counter("rfmstream_settled_invoices_total", real(outcomes.invoices_settled),
              "Invoices that their lines made complete.");
  out.counter("rfmstream_rejected_invoices_total", real(outcomes.invoices_rejected),
              "Of these, those that went to the dead letters as a whole.");
  out.counter("rfmstream_suppressed_moves_total", real(outcomes.suppressed),
              "Moves between segments that damping held back or dropped.");
  out.counter("rfmstream_unfolded_ledgers_total", real(outcomes.unfolded),
              "Records applied to a ledger longer than ledger.entries_max.");
  out.counter("rfmstream_given_up_offsets_total", real(outcomes.given_up),
              "Offsets of the input that were lost and given up with an operator's consent.");
}

void add_work(const LaneFigures& figures, Exposition& out) {
  out.counter("rfmstream_transitions_total",
              "Changes of segment by segmentation, reason and whether marketing may act on them.");
  for (const TransitionCounts::Entry& entry : figures.transitions.entries()) {
    for (std::size_t reason = 0; reason < entry.counts.size(); ++reason) {
      for (const auto& [use, text] : {std::pair{TransitionCounts::Use::kActionable, "true"},
                                      std::pair{TransitionCounts::Use::kSuppressed, "false"}}) {
        out.add(real(entry.counts[reason][static_cast<std::size_t>(use)]),
                {{"segmentation", entry.segmentation},
                 {"reason", std::string(name(static_cast<Reason>(reason)))},
                 {"actionable", text}});
      }
    }
  }
  out.counter("rfmstream_deadlines_fired_total", real(figures.time.deadlines_fired),
              "Customers whom time alone brought to a deadline.");
  out.counter("rfmstream_boundaries_crossed_total", real(figures.time.boundaries_crossed),
              "Boundaries between epochs (days) that partitions crossed.");
  out.counter("rfmstream_swept_customers_total", real(figures.time.customers_swept),
              "Customers looked at when boundaries were crossed.");
  out.counter("rfmstream_changelog_records_total", real(figures.commits.changelog_records),
              "Records written to the changelog.");
  out.histogram("rfmstream_commit_duration_seconds", figures.commit_seconds,
                "How long a commit took, to the end of the store's write.");
  out.histogram("rfmstream_commit_records", figures.commit_records,
                "Records of one transaction, of all topics.");
  out.histogram("rfmstream_commit_bytes", figures.commit_bytes,
                "Bytes of one transaction: keys, values and headers.");
  out.histogram("rfmstream_event_to_commit_seconds", figures.latency_seconds,
                "From the Kafka timestamp of a record to its commit, by the broker's clock. The "
                "records of a batch count with the oldest of them.");
  out.gauge("rfmstream_commit_gap_max_seconds",
            std::chrono::duration<double>(figures.commits.gap_max).count(),
            "The longest that anything applied has waited for its commit, since the start of the "
            "process. Commits that failed are not in it.");
}

// A family with one sample for each partition that `has` it.
template <class Has, class Value>
void per_partition(const ServiceStatus& status, Exposition& out, Has has, Value value) {
  for (const PartitionStatus& p : status.partitions) {
    if (has(p)) out.add(value(p), {{"partition", fmt::format("{}", p.partition)}});
  }
}

void add_partitions(const ServiceStatus& status, Exposition& out) {
  using P = PartitionStatus;
  const auto always = [](const P&) { return true; };
  const auto started = [](const P& p) { return p.started; };
  out.gauge("rfmstream_partition_lag_records",
            "Records that are in the partition and not applied, with markers of transactions.");
  per_partition(status, out, always, [](const P& p) { return real(p.records_behind); });
  out.gauge("rfmstream_partition_held_records",
            "Of these, those that are read and wait for a version of the model.");
  per_partition(status, out, always, [](const P& p) { return real(p.records_held); });
  out.gauge("rfmstream_partition_lag_seconds",
            "Lag in event time: from the newest event applied to the broker's time now; 0 while "
            "nothing waits.");
  const auto lag = [&](const P& p) {
    if (p.records_behind == 0) return 0.0;
    return std::max(0.0, real(*status.broker_ms) / 1000 - seconds(p.event_time));
  };
  per_partition(
      status, out, [&](const P& p) { return p.started && status.broker_ms; }, lag);
  out.gauge("rfmstream_partition_event_timestamp_seconds", "The newest event time applied.");
  per_partition(status, out, started, [](const P& p) { return seconds(p.event_time); });
  out.gauge("rfmstream_partition_watermark_timestamp_seconds", "Where the partition's clock is.");
  per_partition(status, out, started, [](const P& p) { return seconds(p.watermark); });
  out.gauge("rfmstream_partition_epoch",
            "The last epoch boundary crossed, in days since "
            "1970-01-01.");
  per_partition(status, out, started, [](const P& p) { return real(p.epoch_crossed); });
  out.gauge("rfmstream_partition_crossing",
            "1: it is on its way over a boundary or another long way by time alone.");
  per_partition(status, out, always, [](const P& p) { return flag(p.is_crossing); });
  out.gauge("rfmstream_resident_customers", "Customers in memory.");
  per_partition(status, out, always, [](const P& p) { return real(p.customers); });
  out.gauge("rfmstream_resident_bytes", "About how much memory they take, without long texts.");
  per_partition(status, out, always, [](const P& p) { return real(p.bytes); });
  out.gauge("rfmstream_book_cells", "Cells of sales and moves in memory.");
  per_partition(status, out, always, [](const P& p) { return real(p.book_cells); });
  out.gauge("rfmstream_book_bytes", "About how much memory they take, without long texts.");
  per_partition(status, out, always, [](const P& p) { return real(p.book_bytes); });
  out.gauge("rfmstream_silence_seconds", real(status.silence.days_left) * 86'400,
            "Event time without records that is gone through before the next record.");
}

void add_queries(const ServiceStatus& status, Exposition& out) {
  QueryFigures sum;
  for (const LaneStatus& lane : status.lanes) sum.add(lane.queries);
  out.counter("rfmstream_queries_total",
              "Questions to lanes by what became of them: answered, refused (too many waited, or "
              "the lane had no state), given_up (its partitions, or who asked, went).");
  out.add(real(sum.answered), {{"outcome", "answered"}});
  out.add(real(sum.refused), {{"outcome", "refused"}});
  out.add(real(sum.given_up), {{"outcome", "given_up"}});
  out.counter("rfmstream_query_cpu_seconds_total", std::chrono::duration<double>(sum.cpu).count(),
              "CPU time of the lanes' threads for them; of a busy lane less than 2 %.");
  out.counter("rfmstream_lane_cpu_seconds_total",
              std::chrono::duration<double>(sum_of(status.lanes).cpu).count(),
              "CPU time of the lanes' threads in all.");
}

void add_model(const ServiceStatus& status, Exposition& out) {
  out.gauge("rfmstream_model_version", real(status.model_number),
            "The model version in force; 0: none yet.");
  out.gauge("rfmstream_model_age_seconds",
            "Event time since it took effect; no sample without a model.");
  EventTime now = status.model_since;
  for (const PartitionStatus& p : status.partitions) now = std::max(now, p.watermark);
  if (status.model_number > 0) out.add(seconds(now) - seconds(status.model_since));
  out.gauge("rfmstream_model_held_seconds",
            "Event time for which its refits have held clusters that wait for promotion; 0: none "
            "are held; no sample without a model.");
  const EventTime held_since = status.model_held_since.value_or(now);
  if (status.model_number > 0) out.add(std::max(0.0, seconds(now) - seconds(held_since)));
}

void add_store(const StoreFigures& store, Exposition& out) {
  out.gauge("rfmstream_rocksdb_live_bytes", real(store.live_bytes),
            "What the state holds that is not overwritten, by RocksDB's estimate.");
  out.gauge("rfmstream_store_kept_sales", real(store.kept_sales),
            "Invoices and credits whose lines are kept for corrections, by RocksDB's estimate.");
  out.gauge("rfmstream_rocksdb_table_bytes", real(store.table_bytes), "Size of all table files.");
  out.gauge("rfmstream_rocksdb_memtable_bytes", real(store.memtable_bytes),
            "Memory of what is in no table file yet.");
  out.gauge("rfmstream_rocksdb_pending_compaction_bytes", real(store.pending_compaction_bytes),
            "What has to be compacted, by RocksDB's estimate.");
  out.gauge("rfmstream_rocksdb_running_flushes", real(store.running_flushes), "Flushes now.");
  out.gauge("rfmstream_rocksdb_running_compactions", real(store.running_compactions),
            "Compactions now.");
  out.counter("rfmstream_rocksdb_wal_written_bytes_total", real(store.wal_bytes_written),
              "Bytes written to the write-ahead log.");
  out.counter("rfmstream_rocksdb_background_errors_total", real(store.background_errors),
              "Flushes and compactions that failed.");
  out.counter("rfmstream_rocksdb_write_slowdowns_total", real(store.slowdowns),
              "How often writes were slowed down for flushes and compactions to keep up.");
  out.counter("rfmstream_rocksdb_write_stops_total", real(store.stops),
              "How often writes had to wait for them.");
  out.counter("rfmstream_rocksdb_write_stall_seconds_total", real(store.stall_micros) / 1e6,
              "How long both took.");
  out.gauge("rfmstream_state_disk_free_bytes",
            "What the service may still write to the file system of the state.");
  if (store.disk_free_bytes) out.add(real(*store.disk_free_bytes));
}

}  // namespace

std::string metrics_text(const ProbeContext& context, std::string_view version,
                         const std::optional<ProcessFigures>& process) {
  const ServiceStatus& status = context.status;
  const LaneFigures figures = sum_of(status.lanes);
  Exposition out;
  add_process(process, version, out);
  add_service(context, out);
  add_outcomes(figures.outcomes, out);
  add_work(figures, out);
  add_partitions(status, out);
  add_queries(status, out);
  add_model(status, out);
  add_store(status.store, out);
  return out.text();
}

}  // namespace rfm
