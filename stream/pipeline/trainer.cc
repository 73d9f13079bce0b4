#include "stream/pipeline/trainer.h"

#include <pthread.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace rfm {
namespace {

constexpr std::size_t kUnpublishedMax = 1'000;
constexpr std::chrono::milliseconds kPublishDelay{50};

}  // namespace

Trainer::Trainer(const TrainerOptions& options, ModelLogWriter& log, TrainerHistory history,
                 Mode mode)
    : options_(options),
      log_(log),
      mode_(mode),
      training_(history.rules.empty() ? options_.training : history.rules.back().training),
      partitions_(static_cast<std::size_t>(options_.partition_count)),
      rules_(std::move(history.rules)) {
  std::optional<std::int64_t> populated_epoch;
  std::optional<std::int64_t> first_fit_epoch;
  for (ModelVersion& version : history.versions) {
    if (!start_epoch_) start_epoch_ = version.trained_epoch;
    if (!populated_epoch && version.population >= training_.options().population_on)
      populated_epoch = version.trained_epoch;
    if (version.cluster_change == ClusterChange::kFirstFit) first_fit_epoch = version.trained_epoch;
    versions_.push_back(std::make_shared<const ModelVersion>(std::move(version)));
  }
  const std::int64_t trained_through = start_epoch_ ? next_epoch() - 1 : committed_through_;
  committed_through_ = trained_through;
  for (auto& [key, contribution] : history.contributions) {
    const auto& [epoch, partition] = key;
    PartitionProgress& progress = partitions_.at(static_cast<std::size_t>(partition));
    progress.contributed = std::max(progress.contributed, epoch);
    const bool is_closed = epoch <= trained_through;
    if (is_closed && !was_included(epoch, partition)) continue;
    auto& contributions = is_closed ? closed_ : contributions_;
    contributions[epoch].emplace(partition,
                                 std::make_shared<const Contribution>(std::move(contribution)));
  }
  if (!versions_.empty()) training_.restore(*versions_.back(), populated_epoch, first_fit_epoch);
  if (mode_ == Mode::kTrain) {
    thread_ = std::thread([this] { run(); });
    publisher_ = std::thread([this] { publish(); });
  }
}

Trainer::~Trainer() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (publisher_.joinable()) publisher_.join();
}

bool Trainer::begun() const {
  const std::scoped_lock lock(mutex_);
  return options_.first.empty();
}

// The publishing thread has nothing to do yet.
absl::Status Trainer::begin() {
  const std::scoped_lock lock(mutex_);
  if (options_.first.empty()) return absl::OkStatus();
  const absl::Status published = log_.publish(options_.first);
  if (published.ok()) options_.first.clear();
  return published;
}

void Trainer::partition_started(PartitionId partition, std::int64_t first_boundary) {
  {
    const std::scoped_lock lock(mutex_);
    PartitionProgress& progress = partitions_.at(static_cast<std::size_t>(partition));
    progress.known = true;
    progress.first_boundary = first_boundary;
    find_start();
  }
  changed_.notify_all();
}

void Trainer::partition_empty(PartitionId partition) {
  {
    const std::scoped_lock lock(mutex_);
    partitions_.at(static_cast<std::size_t>(partition)).known = true;
    find_start();
  }
  changed_.notify_all();
}

void Trainer::contribute(PartitionId partition, const Contribution& contribution) {
  if (mode_ == Mode::kRecorded) return;
  {
    const std::scoped_lock lock(mutex_);
    PartitionProgress& progress = partitions_.at(static_cast<std::size_t>(partition));
    progress.contributed = std::max(progress.contributed, contribution.epoch);
    // An epoch that has its record is never trained again. Its sample was taken when it was, or, if
    // that was before the start, belongs to the past samples.
    const bool closed = start_epoch_ && contribution.epoch < next_epoch();
    if (!closed) {
      contributions_[contribution.epoch][partition] =
          std::make_shared<const Contribution>(contribution);
    } else if (!past_taken_ && was_included(contribution.epoch, partition)) {
      closed_[contribution.epoch].emplace(partition,
                                          std::make_shared<const Contribution>(contribution));
    }
  }
  changed_.notify_all();
}

void Trainer::change_rules(LaterRules later) {
  {
    const std::scoped_lock lock(mutex_);
    if (start_epoch_) {
      log_rules(std::move(later));
    } else {
      proposed_.push_back(std::move(later));
    }
  }
  changed_.notify_all();
}

bool Trainer::promote(std::int64_t epoch) {
  const std::scoped_lock lock(mutex_);
  if (versions_.empty() || !versions_.back()->held || versions_.back()->held->epoch != epoch)
    return false;
  promoted_ = epoch;
  return true;
}

std::shared_ptr<const ModelVersion> Trainer::newest() const {
  const std::scoped_lock lock(mutex_);
  return versions_.empty() ? nullptr : versions_.back();
}

// What is trained next is not known to any lane, so none has crossed the boundary at which that
// takes effect; and none will before it knows both, which are published in this order.
void Trainer::log_rules(LaterRules later) {
  later.record.effective_epoch = next_epoch() + 1;
  unpublished_.push_back(encode_rules(later.record));
  rules_.push_back(std::move(later));
  ++announcements_;
}

absl::Status Trainer::update(ModelTimeline& timeline) const {
  const std::scoped_lock lock(mutex_);
  if (!status_.ok()) return status_;
  for (std::size_t i = timeline.rules_count(); i < rules_.size(); ++i)
    timeline.append_rules(rules_[i].rules, *rules_[i].record.effective_epoch);
  if (!start_epoch_) return absl::OkStatus();
  if (!timeline.started()) timeline.start_at(*start_epoch_);
  for (std::int64_t epoch = timeline.trained_through() + 1; epoch < next_epoch(); ++epoch) {
    timeline.append(versions_[static_cast<std::size_t>(epoch - *start_epoch_)]);
  }
  return absl::OkStatus();
}

std::optional<std::int64_t> Trainer::awaited(PartitionId partition) const {
  const std::scoped_lock lock(mutex_);
  if (mode_ == Mode::kRecorded || !start_epoch_) return std::nullopt;
  const std::int64_t epoch = next_epoch();
  if (has_contributed(partitions_.at(static_cast<std::size_t>(partition)), epoch))
    return std::nullopt;
  return has_passed(epoch) ? std::optional(epoch) : std::nullopt;
}

absl::Status Trainer::wait_committed(std::int64_t epoch) {
  if (mode_ == Mode::kRecorded) return absl::OkStatus();
  std::unique_lock lock(mutex_);
  wanted_through_ = std::max(wanted_through_, epoch);
  if (committed_through_ < epoch) changed_.notify_all();
  changed_.wait(lock, [&] { return committed_through_ >= epoch || !status_.ok() || stopping_; });
  return status_;
}

absl::Status Trainer::finish() {
  if (mode_ == Mode::kRecorded) return absl::OkStatus();
  std::unique_lock lock(mutex_);
  wanted_through_ = std::numeric_limits<std::int64_t>::max();
  changed_.notify_all();
  changed_.wait(lock, [&] {
    const bool published =
        !start_epoch_ || (committed_through_ == next_epoch() - 1 && unpublished_.empty());
    return !status_.ok() || stopping_ || (!ready_epoch() && published);
  });
  return status_;
}

std::int64_t Trainer::announcements() const {
  const std::scoped_lock lock(mutex_);
  return announcements_;
}

void Trainer::wait_announcement(std::int64_t announced, std::chrono::milliseconds longest) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, longest, [&] { return announcements_ != announced || !status_.ok(); });
}

bool Trainer::has_contributed(const PartitionProgress& partition, std::int64_t epoch) const {
  if (!partition.known) return false;
  return !partition.first_boundary || *partition.first_boundary > epoch ||
         partition.contributed >= epoch;
}

// Until one partition is beyond the boundary there is nothing to say about it.
bool Trainer::has_passed(std::int64_t epoch) const {
  return std::ranges::any_of(partitions_, [&](const PartitionProgress& p) {
    return p.contributed >= epoch || (p.first_boundary && *p.first_boundary > epoch);
  });
}

// The first epoch trained is the earliest first boundary. It takes every partition's word that it
// knows none earlier.
void Trainer::find_start() {
  if (start_epoch_) return;
  std::optional<std::int64_t> first;
  for (const PartitionProgress& partition : partitions_) {
    if (!partition.known) return;
    if (partition.first_boundary)
      first = std::min(first.value_or(*partition.first_boundary), *partition.first_boundary);
  }
  if (!first) return;
  start_epoch_ = first;
  committed_through_ = *first - 1;
  ++announcements_;
  for (LaterRules& later : std::exchange(proposed_, {})) log_rules(std::move(later));
}

std::optional<std::int64_t> Trainer::ready_epoch() {
  if (!start_epoch_) return std::nullopt;
  const std::int64_t epoch = next_epoch();
  const bool all = std::ranges::all_of(
      partitions_, [&](const PartitionProgress& p) { return has_contributed(p, epoch); });
  return has_passed(epoch) && all ? std::optional(epoch) : std::nullopt;
}

// The samples of the epochs trained before the start. They are complete when the next epoch is
// ready: each partition has contributed for it, so also, again or lastingly, for those before.
void Trainer::take_past() {
  if (std::exchange(past_taken_, true)) return;
  for (const auto& [epoch, parts] : closed_) {
    if (!is_refit_epoch(options_.training.schedule, epoch)) continue;
    std::vector<const Contribution*> views;
    for (const auto& [partition, contribution] : parts) views.push_back(contribution.get());
    training_.add_sample(epoch, merge(views).sample);
  }
  closed_.clear();
}

std::vector<std::shared_ptr<const Contribution>> Trainer::take_contributions(std::int64_t epoch) {
  std::vector<std::shared_ptr<const Contribution>> parts;
  const auto found = contributions_.find(epoch);
  if (found != contributions_.end()) {
    for (const auto& [partition, contribution] : found->second) parts.push_back(contribution);
  }
  contributions_.erase(contributions_.begin(), contributions_.upper_bound(epoch));
  return parts;
}

bool Trainer::was_included(std::int64_t epoch, PartitionId partition) const {
  const std::int64_t index = epoch - *start_epoch_;
  if (index < 0) return false;
  return !std::ranges::binary_search(versions_[static_cast<std::size_t>(index)]->empty_partitions,
                                     partition);
}

void Trainer::run() {
  pthread_setname_np(pthread_self(), "trainer");
  std::unique_lock lock(mutex_);
  while (true) {
    std::optional<std::int64_t> epoch;
    changed_.wait(lock, [&] {
      epoch = ready_epoch();
      return stopping_ || !status_.ok() || (epoch && unpublished_.size() < kUnpublishedMax);
    });
    if (stopping_ || !status_.ok()) return;
    take_past();
    const auto parts = take_contributions(*epoch);
    std::vector<PartitionId> empty;
    for (std::size_t p = 0; p < partitions_.size(); ++p) {
      if (!partitions_[p].first_boundary) empty.push_back(static_cast<PartitionId>(p));
    }
    const TrainingOptions training = rules_.empty() ? options_.training : rules_.back().training;
    const std::optional<std::int64_t> promoted = std::exchange(promoted_, std::nullopt);
    lock.unlock();
    training_.set_options(training);
    if (promoted) training_.promote(*promoted);
    std::vector<const Contribution*> views;
    for (const auto& part : parts) views.push_back(part.get());
    ModelVersion version = training_.train(*epoch, merge(views));
    version.empty_partitions = std::move(empty);
    ModelLogRecord record = encode_version(version);
    lock.lock();
    versions_.push_back(std::make_shared<const ModelVersion>(std::move(version)));
    unpublished_.push_back(std::move(record));
    ++announcements_;
    changed_.notify_all();
  }
}

// Apart from the training, so that a lane that runs through many epochs does not wait for a
// transaction at each. Several versions go out together, unless a lane's commit wants one now.
void Trainer::publish() {
  pthread_setname_np(pthread_self(), "publisher");
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !unpublished_.empty(); });
    if (unpublished_.empty() || !status_.ok()) return;
    changed_.wait_for(lock, kPublishDelay, [&] {
      return stopping_ || wanted_through_ > committed_through_ ||
             unpublished_.size() >= kUnpublishedMax;
    });
    const std::vector<ModelLogRecord> records = std::exchange(unpublished_, {});
    const std::int64_t through = next_epoch() - 1;
    lock.unlock();
    const absl::Status published = log_.publish(records);
    lock.lock();
    if (!published.ok()) {
      status_ = published;
      changed_.notify_all();
      return;
    }
    committed_through_ = through;
    changed_.notify_all();
  }
}

}  // namespace rfm
