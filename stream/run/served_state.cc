#include "stream/run/served_state.h"

#include <algorithm>
#include <utility>

#include "state/epoch.h"
#include "stream/pipeline/partition_listener.h"

namespace rfm {

class ServedState::Silent final : public PartitionListener {
  void on_transition(const Transition& /*transition*/, const PartitionMeta& /*meta*/) override {}
  void on_rules_adopted(const CustomerRow& /*row*/, const CustomerFacts& /*facts*/) override {}
  void on_dead_letter(const RecordView& /*record*/, const Rejection& /*rejection*/) override {}
  void on_rejected_invoice(const CustomerRow& /*row*/, const SettledInvoice& /*settled*/) override {
  }
  void on_new_customer(const CustomerRow& /*row*/) override {}
  void on_erased(const Erasure& /*erasure*/) override {}
  void on_started(std::int64_t /*first_boundary*/) override {}
  void on_contribution(const Contribution& /*contribution*/) override {}
};

ServedState::ServedState(const StateSnapshot& snapshot, QueryDesk& desk, const Clock& clock)
    : snapshot_(snapshot), desk_(desk), clock_(clock), silent_(std::make_unique<Silent>()) {}

ServedState::~ServedState() { desk_.close("it ends"); }

absl::StatusOr<std::unique_ptr<ServedState>> ServedState::open(const StateSnapshot& snapshot,
                                                               QueryDesk& desk,
                                                               const Clock& clock) {
  std::unique_ptr<ServedState> served(new ServedState(snapshot, desk, clock));
  const TimeContext logs = snapshot.logs();
  ServiceStatus& status = served->status_;
  status.phase = ServicePhase::kRunning;
  status.is_stored = true;
  status.partition_count = snapshot.partitions().front().meta.partition_count;
  for (const PartitionSnapshot& stored : snapshot.partitions()) {
    PartitionOptions options;
    options.partition = stored.id;
    served->partitions_.push_back(
        std::make_unique<Partition>(options, logs.rules, logs.models, *served->silent_));
    served->partitions_.back()->meta() = stored.meta;
    served->shown_.push_back(served->partitions_.back().get());
  }
  auto at = served->partitions_.begin();
  const absl::Status read =
      snapshot.for_each([&](const PartitionSnapshot& stored, CustomerRow row) {
        while ((*at)->id() != stored.id) ++at;
        (*at)->rows().restore(std::move(row));
        return absl::OkStatus();
      });
  if (!read.ok()) return read;
  for (const auto& partition : served->partitions_) {
    PartitionBooks& books = partition->books();
    const absl::Status kept =
        snapshot.for_each_cell(partition->id(), [&](std::string_view key, std::string_view bytes) {
          return books.restore(key, bytes) ? absl::OkStatus()
                                           : absl::DataLossError("a cell of the books is damaged");
        });
    if (!kept.ok()) return kept;
    books.index(partition->meta());
    for (std::size_t next = 0; next < partition->rows().places();)
      next = partition->index_rows(next);
    const PartitionMeta& meta = partition->meta();
    status.counters.add(meta.counters);
    status.event_time = std::max(status.event_time, meta.max_event_time);
    status.partitions.push_back({.partition = partition->id(),
                                 .started = meta.started,
                                 .event_time = meta.max_event_time,
                                 .watermark = meta.watermark,
                                 .epoch_crossed = meta.crossed,
                                 .customers = partition->rows().size(),
                                 .bytes = partition->rows().bytes(),
                                 .book_cells = books.cells().size(),
                                 .book_bytes = books.cells().bytes()});
    if (!meta.started || !logs.models.knows(meta.crossed)) continue;
    const ModelVersion& version = *logs.models.effective_in(meta.crossed);
    if (version.number <= status.model_number) continue;
    status.model_number = version.number;
    status.model_since = boundary_of(version.trained_epoch + 1);
    const std::optional<std::int64_t> held_since = logs.models.held_since(meta.crossed);
    status.model_held_since.reset();
    if (held_since) status.model_held_since = boundary_of(*held_since);
  }
  status.partitions_owned = static_cast<int>(served->partitions_.size());
  status.caught_up = true;
  desk.open();
  return served;
}

void ServedState::work(std::chrono::milliseconds wait_max) {
  if (desk_.wait_asked(std::chrono::steady_clock::now() + wait_max))
    desk_.work(shown_, snapshot_.logs(), QueryDesk::Pace::kFree);
}

ServiceStatus ServedState::status() const {
  ServiceStatus status = status_;
  status.lanes = {{.turned_at = clock_.steady(), .is_assigned = true, .figures = {}}};
  status.lanes.front().figures.outcomes = status.counters;
  status.lanes.front().queries = desk_.figures();
  return status;
}

std::size_t ServedState::customers() const {
  std::size_t sum = 0;
  for (const Partition* partition : shown_) sum += partition->rows().size();
  return sum;
}

}  // namespace rfm
