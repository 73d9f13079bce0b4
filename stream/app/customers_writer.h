// Writes the table `customers` of a state.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "stream/app/customers_table.h"
#include "stream/app/state_arguments.h"
#include "stream/app/table_output.h"

namespace rfm {

enum class Customers : std::uint8_t { kWithPurchases, kAll };

struct CustomersOptions {
  Customers customers = Customers::kWithPurchases;
  Outlook outlook = Outlook::kNone;
};

// Customers of one partition come in order. Those of several are kept until they are sorted.
class CustomersWriter {
 public:
  // State and output outlive it.
  CustomersWriter(const OpenedState& state, const CustomersOptions& options, TableOutput& output)
      : state_(state),
        options_(options),
        output_(output),
        sorts_(state.snapshot->partitions().size() > 1) {}

  // Notes customers that are in several partitions on standard error.
  absl::Status write();

  std::uint64_t count() const { return count_; }

 private:
  struct Line {
    std::string customer_id;
    PartitionId partition = 0;
    TableRow row;
  };

  absl::Status add(PartitionId partition, const CustomerRow& row, const CustomerFacts& facts);
  absl::Status write_sorted();

  const OpenedState& state_;
  CustomersOptions options_;
  TableOutput& output_;
  bool sorts_;
  std::uint64_t count_ = 0;
  std::vector<Line> lines_;
  TableRow line_;
  LedgerHistory history_;
};

}  // namespace rfm
