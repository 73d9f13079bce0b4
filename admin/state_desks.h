// All lanes as one to ask. Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stream/pipeline/query_desk.h"

namespace rfm {

class StateDesks {
 public:
  // How many of those who ask may wait for lanes at the same time: others of the listener's threads
  // stay free for probes.
  static constexpr int kAskingMax = 16;
  static constexpr std::chrono::milliseconds kWaitMax{1'500};

  explicit StateDesks(std::vector<QueryDesk*> desks) : desks_(std::move(desks)) {}

  // Who waits. False: too many do.
  class Place {
   public:
    explicit Place(StateDesks& desks) : desks_(desks), is_given_(++desks.asking_ <= kAskingMax) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { --desks_.asking_; }
    explicit operator bool() const { return is_given_; }

   private:
    StateDesks& desks_;
    const bool is_given_;
  };

  // One query for each lane, made by `make`.
  template <class Make>
  auto ask(QueryDesk::Kind kind, Make make)
      -> absl::StatusOr<std::vector<decltype(make())>> {  // Of shared pointers.
    std::vector<decltype(make())> asked;
    for (QueryDesk* desk : desks_) {
      asked.push_back(make());
      if (const absl::Status taken = desk->ask(asked.back(), kind); !taken.ok()) return taken;
    }
    return asked;
  }
  // The first that is not OK; kDeadlineExceeded: not all are finished by then.
  template <class Query>
  static absl::Status wait(const std::vector<std::shared_ptr<Query>>& asked,
                           std::chrono::steady_clock::time_point until) {
    for (const auto& query : asked) {
      const std::optional<absl::Status> done = query->wait(until);
      if (!done) return absl::DeadlineExceededError("the lanes have not answered yet");
      if (!done->ok()) return *done;
    }
    return absl::OkStatus();
  }

 private:
  const std::vector<QueryDesk*> desks_;
  std::atomic<int> asking_ = 0;
};

}  // namespace rfm
