#include "stream/pipeline/query_desk.h"

#include <time.h>

#include <algorithm>
#include <utility>

namespace rfm {
namespace {

using std::chrono::nanoseconds;

constexpr int kBusyShare = 64;
// For so long a batch may have to wait.
constexpr nanoseconds kBusyAllowanceMax = std::chrono::milliseconds{10};
constexpr nanoseconds kIdleAllowanceMax = std::chrono::milliseconds{50};

bool is_same(const TimeContext& a, const TimeContext& b) {
  return a.models.started() == b.models.started() &&
         a.models.rules_count() == b.models.rules_count() &&
         (!a.models.started() || (a.models.start_epoch() == b.models.start_epoch() &&
                                  a.models.trained_through() == b.models.trained_through()));
}

}  // namespace

nanoseconds thread_cpu() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds{now.tv_sec} + nanoseconds{now.tv_nsec};
}

void LaneQuery::finish(absl::Status status) {
  const std::scoped_lock lock(mutex_);
  status_ = std::move(status);
  finished_.notify_all();
}

std::optional<absl::Status> LaneQuery::wait(std::chrono::steady_clock::time_point until) const {
  std::unique_lock lock(mutex_);
  finished_.wait_until(lock, until, [this] { return status_.has_value(); });
  return status_;
}

bool LaneQuery::is_finished() const {
  const std::scoped_lock lock(mutex_);
  return status_.has_value();
}

void QueryFigures::add(const QueryFigures& other) {
  answered += other.answered;
  refused += other.refused;
  given_up += other.given_up;
  cpu += other.cpu;
}

absl::Status QueryDesk::ask(std::shared_ptr<LaneQuery> query, Kind kind) {
  const std::scoped_lock lock(mutex_);
  auto& queue = kind == Kind::kLook ? looks_ : passes_;
  if (!closed_.empty()) {
    ++figures_.refused;
    return absl::UnavailableError(closed_);
  }
  if (queue.size() >= kWaitingMax) {
    ++figures_.refused;
    return absl::ResourceExhaustedError("too many questions wait");
  }
  queue.push_back(std::move(query));
  is_asked_ = true;
  asked_.notify_one();
  if (wake_) wake_();
  return absl::OkStatus();
}

QueryFigures QueryDesk::figures() const {
  const std::scoped_lock lock(mutex_);
  return figures_;
}

bool QueryDesk::wait_asked(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  return asked_.wait_until(lock, until, [this] { return is_asked_.load(); });
}

void QueryDesk::open(std::function<void()> wake) {
  const std::scoped_lock lock(mutex_);
  wake_ = std::move(wake);
  closed_.clear();
}

void QueryDesk::close(std::string_view why) {
  logs_copy_.reset();
  const std::scoped_lock lock(mutex_);
  closed_ = why;
  wake_ = nullptr;
  for (auto* const queue : {&looks_, &passes_}) {
    for (const auto& query : *queue) query->finish(absl::UnavailableError(std::string(why)));
    figures_.given_up += queue->size();
    queue->clear();
  }
  is_asked_ = false;
}

QueryDesk::Next QueryDesk::next() {
  const std::scoped_lock lock(mutex_);
  for (auto* const queue : {&looks_, &passes_})
    figures_.given_up += std::erase_if(*queue, [](const auto& q) { return q.use_count() == 1; });
  is_asked_ = !looks_.empty() || !passes_.empty();
  if (!looks_.empty() && look_allowance_ > nanoseconds{0})
    return {.query = looks_.front(), .kind = Kind::kLook};
  if (!passes_.empty() && pass_allowance_ > nanoseconds{0})
    return {.query = passes_.front(), .kind = Kind::kPass};
  return {};
}

void QueryDesk::drop_first(Kind kind) {
  const std::scoped_lock lock(mutex_);
  (kind == Kind::kLook ? looks_ : passes_).pop_front();
  ++figures_.answered;
}

const std::shared_ptr<const LogsCopy>& QueryDesk::copy_of(const TimeContext& logs) {
  if (logs_copy_ == nullptr || !is_same(logs_copy_->context(), logs))
    logs_copy_ = std::make_shared<const LogsCopy>(LogsCopy{logs.rules, logs.models});
  return logs_copy_;
}

void QueryDesk::allow(Pace pace, nanoseconds cpu) {
  const auto now = std::chrono::steady_clock::now();
  const nanoseconds passed = now - std::exchange(worked_at_, now);
  // A new thread's begins at nothing.
  const nanoseconds worked = std::max(cpu - worked_cpu_, nanoseconds{0});
  const auto grow = [](nanoseconds& allowance, nanoseconds by, nanoseconds max) {
    allowance = std::min(allowance + by, max);
  };
  switch (pace) {
    case Pace::kBusy:
      grow(look_allowance_, passed / kBusyShare, kBusyAllowanceMax);
      grow(pass_allowance_, worked / kBusyShare, kBusyAllowanceMax);
      break;
    case Pace::kIdle:
      grow(look_allowance_, passed / 2, kIdleAllowanceMax);
      grow(pass_allowance_, passed / 2, kIdleAllowanceMax);
      break;
    case Pace::kFree:
      look_allowance_ = kIdleAllowanceMax;
      pass_allowance_ = kIdleAllowanceMax;
      break;
  }
}

void QueryDesk::work(std::span<const Partition* const> partitions, const TimeContext& logs,
                     Pace pace) {
  const nanoseconds begun = thread_cpu();
  allow(pace, begun);
  worked_cpu_ = begun;
  Next next = this->next();
  if (next.query == nullptr) return;
  const CommittedState state{.partitions = partitions, .logs = logs, .logs_copy = copy_of(logs)};
  for (; next.query != nullptr; next = this->next()) {
    if (next.query->look(state) == LaneQuery::Progress::kDone) {
      drop_first(next.kind);
      next.query->finish(absl::OkStatus());
    }
    const nanoseconds cpu = thread_cpu();
    const nanoseconds spent = cpu - std::exchange(worked_cpu_, cpu);
    if (next.kind == Kind::kLook) look_allowance_ -= spent;
    pass_allowance_ = std::max(pass_allowance_ - spent, -kIdleAllowanceMax);
  }
  const std::scoped_lock lock(mutex_);
  figures_.cpu += worked_cpu_ - begun;
}

}  // namespace rfm
