#include "stream/pipeline/lane_figures.h"

#include <algorithm>
#include <numeric>

namespace rfm {
namespace {

constexpr std::array kDurationBounds = {0.005, 0.01, 0.02, 0.05, 0.1,  0.2,
                                        0.5,   1.0,  2.0,  5.0,  10.0, 30.0};
// Behind is behind: an old record that is caught up with is above all.
constexpr std::array kLatencyBounds = {0.01, 0.025, 0.05, 0.1,  0.15, 0.25,  0.5,
                                       1.0,  2.5,   5.0,  10.0, 60.0, 600.0, 3600.0};
constexpr std::array kRecordsBounds = {1e0, 1e1, 1e2, 1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6};
constexpr std::array kBytesBounds = {1'024.0,      8'192.0,       65'536.0,
                                     524'288.0,    2'097'152.0,   8'388'608.0,
                                     33'554'432.0, 134'217'728.0, 268'435'456.0};

}  // namespace

void Histogram::add(double value, std::uint64_t times) {
  const auto place = std::ranges::lower_bound(bounds, value) - bounds.begin();
  counts[static_cast<std::size_t>(place)] += times;
  sum += value * static_cast<double>(times);
}

void Histogram::add(const Histogram& other) {
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
  sum += other.sum;
}

std::uint64_t Histogram::count() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

TransitionCounts::Entry& TransitionCounts::entry(std::string_view segmentation) {
  const auto found = std::ranges::find(entries_, segmentation, &Entry::segmentation);
  if (found != entries_.end()) return *found;
  return entries_.emplace_back(Entry{.segmentation = std::string(segmentation)});
}

void TransitionCounts::add(const TransitionCounts& other) {
  for (const Entry& theirs : other.entries_) {
    Entry& mine = entry(theirs.segmentation);
    for (std::size_t reason = 0; reason < mine.counts.size(); ++reason) {
      for (std::size_t use = 0; use < mine.counts[reason].size(); ++use)
        mine.counts[reason][use] += theirs.counts[reason][use];
    }
  }
}

void TimeFigures::add(const TimeFigures& other) {
  deadlines_fired += other.deadlines_fired;
  boundaries_crossed += other.boundaries_crossed;
  customers_swept += other.customers_swept;
}

void CommitFigures::add(const CommitFigures& other) {
  commits += other.commits;
  changelog_records += other.changelog_records;
  gap_max = std::max(gap_max, other.gap_max);
  records_max = std::max(records_max, other.records_max);
  bytes_max = std::max(bytes_max, other.bytes_max);
}

LaneFigures::LaneFigures()
    : commit_seconds{.bounds = kDurationBounds},
      commit_records{.bounds = kRecordsBounds},
      commit_bytes{.bounds = kBytesBounds},
      latency_seconds{.bounds = kLatencyBounds} {}

void merge(DeadLetterPlaces& places, const DeadLetterPlaces& later) {
  for (std::size_t i = 0; i < places.size(); ++i)
    if (later[i]) places[i] = later[i];
}

void LaneFigures::add(const LaneFigures& other) {
  outcomes.add(other.outcomes);
  merge(dead_letters, other.dead_letters);
  time.add(other.time);
  transitions.add(other.transitions);
  commits.add(other.commits);
  commit_seconds.add(other.commit_seconds);
  commit_records.add(other.commit_records);
  commit_bytes.add(other.commit_bytes);
  latency_seconds.add(other.latency_seconds);
  cpu += other.cpu;
}

void LaneFigures::add(const CommitMeasure& commit) {
  commits.add({.commits = 1,
               .changelog_records = commit.changelog_records,
               .gap_max = commit.gap,
               .records_max = commit.records,
               .bytes_max = commit.bytes});
  commit_seconds.add(std::chrono::duration<double>(commit.duration).count(), 1);
  commit_records.add(static_cast<double>(commit.records), 1);
  commit_bytes.add(static_cast<double>(commit.bytes), 1);
}

void LaneFigures::add(std::span<const AwaitedBatch> committed, std::int64_t now_ms) {
  for (const AwaitedBatch& batch : committed) {
    const std::int64_t waited_ms = std::max<std::int64_t>(0, now_ms - batch.received_ms);
    latency_seconds.add(static_cast<double>(waited_ms) / 1000, batch.records);
  }
}

}  // namespace rfm
