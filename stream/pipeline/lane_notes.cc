// What a lane says of its work to whoever watches, and of its customers to whoever asks.
#include <algorithm>
#include <chrono>
#include <utility>

#include "stream/pipeline/lane.h"

namespace rfm {
namespace {

constexpr std::chrono::seconds kReadsOnMax{1};

}  // namespace

void Lane::note_applied(std::int64_t received_ms, std::size_t records) {
  // Without the broker's time nobody can say how long they have waited.
  if (records > 0 && parts_.time != nullptr)
    awaited_.push_back({.received_ms = received_ms, .records = records});
}

void Lane::note_commit(std::chrono::steady_clock::time_point started,
                       std::size_t changelog_records) {
  last_commit_ = parts_.clock.steady();
  figures_.add({.duration = last_commit_ - started,
                .gap = std::chrono::duration_cast<std::chrono::milliseconds>(last_commit_ - begun_),
                .changelog_records = changelog_records,
                .records = output_.pending_records(),
                .bytes = output_.pending_bytes()});
  if (parts_.time != nullptr) {
    if (const auto now_ms = parts_.time->believed_ms()) figures_.add(awaited_, *now_ms);
  }
  awaited_.clear();
  figures_.transitions.add(output_.transitions());
  for (const auto& p : partitions_) {
    figures_.outcomes.add(p->meta().counters.since(p->counted));
    p->counted = p->meta().counters;
    merge(figures_.dead_letters, std::exchange(p->dead_letters, {}));
    figures_.time.add(p->partition.take_figures());
  }
}

Lane::~Lane() {
  if (parts_.queries != nullptr) parts_.queries->close("the pipeline begins again");
}

void Lane::answer_queries() {
  if (parts_.queries != nullptr) parts_.queries->open([&source = parts_.source] { source.wake(); });
}

// Behind a commit, or where there was nothing to commit.
void Lane::work_queries() {
  if (parts_.queries == nullptr || !parts_.queries->is_asked() || uncommitted_) return;
  parts_.queries->work(partitions(), {rules_, models_},
                       was_busy_ || reads_on() ? QueryDesk::Pace::kBusy : QueryDesk::Pace::kIdle);
}

// Whether it only waits for what it has asked the source for.
bool Lane::reads_on() const {
  const auto now = parts_.clock.steady();
  return !at_end() && std::ranges::any_of(partitions_, [now](const auto& p) {
    return now - p->last_read < kReadsOnMax;
  });
}

bool Lane::waits_for_model(PartitionId partition) const {
  return std::ranges::any_of(partitions_, [&](const auto& p) {
    return p->id() == partition && p->waits_since.has_value();
  });
}

}  // namespace rfm
