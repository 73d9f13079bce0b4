// Which partition holds each customer, over all lanes of a process. A customer whose records come
// in two partitions, because producers put them there by different rules, has two states, each of
// which knows a part of what he buys. Nothing of it changes what becomes of a record.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "state/customer_row.h"
#include "stream/record/record.h"

namespace rfm {

// Customers that were seen in several partitions at a time.
struct SplitCustomers {
  std::uint64_t count = 0;
  std::string example;  // 'customer "c1" is in the partitions 0 and 2'; of the last one.
};

// Any thread. Some 20 bytes a customer.
class CustomerPlaces {
 public:
  void add(const CustomerRow& row, PartitionId partition);
  void erase(std::uint64_t id_hash, PartitionId partition);
  // The partition is another process's now.
  void drop(PartitionId partition);

  SplitCustomers split() const;

 private:
  mutable std::mutex mutex_;
  absl::flat_hash_map<std::uint64_t, PartitionId> places_;  // By the hash of the id.
  absl::flat_hash_set<std::uint64_t> split_;
  std::string example_;
};

}  // namespace rfm
