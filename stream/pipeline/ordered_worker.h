// Work on a thread of its own, in the order in which it was given.
#pragma once

#include <pthread.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace rfm {

// Items are handed over in batches, of which only a few wait: who gives faster than the work is
// done is held up. One thread gives.
template <typename Item>
class OrderedWorker {
 public:
  // `name`: of the thread, at most 15 characters. `work` runs on it.
  OrderedWorker(const char* name, std::function<void(Item&)> work)
      : work_(std::move(work)), thread_([this, name] {
          pthread_setname_np(pthread_self(), name);
          run();
        }) {}
  OrderedWorker(const OrderedWorker&) = delete;
  OrderedWorker& operator=(const OrderedWorker&) = delete;
  ~OrderedWorker() {
    finish();
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void add(Item item) {
    filling_.push_back(std::move(item));
    if (filling_.size() >= kBatchItems) hand_over();
  }

  // Returns when everything is done. What `work` has written may be read then.
  void finish() {
    if (!filling_.empty()) hand_over();
    if (!outstanding_) return;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_.empty() && !working_; });
    outstanding_ = false;
  }

 private:
  static constexpr std::size_t kBatchItems = 256;
  static constexpr std::size_t kBatchesWaitingMax = 16;

  void hand_over() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_.size() < kBatchesWaitingMax; });
    waiting_.push_back(std::exchange(filling_, {}));
    outstanding_ = true;
    lock.unlock();
    changed_.notify_all();
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      std::vector<Item> batch = std::move(waiting_.front());
      waiting_.pop_front();
      working_ = true;
      lock.unlock();
      changed_.notify_all();
      for (Item& item : batch) work_(item);
      lock.lock();
      working_ = false;
      changed_.notify_all();
    }
  }

  std::function<void(Item&)> work_;
  std::vector<Item> filling_;  // The giver's.
  bool outstanding_ = false;   // The giver's: something was handed over since the last `finish`.
  std::mutex mutex_;           // Guards the rest.
  std::condition_variable changed_;
  std::deque<std::vector<Item>> waiting_;
  bool working_ = false;
  bool stopping_ = false;
  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace rfm
