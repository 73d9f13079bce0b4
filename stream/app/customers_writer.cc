#include "stream/app/customers_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "stream/app/state_census.h"
#include "stream/text/utf8.h"

namespace rfm {

absl::Status CustomersWriter::write() {
  absl::Status written =
      output_.begin("customers", customers_columns(state_.rules().segmentations, options_.outlook));
  if (!written.ok()) return written;
  written =
      visit_customers(state_, "exported",
                      [this](const PartitionSnapshot& partition, const CustomerRow& row,
                             const CustomerFacts& facts) { return add(partition.id, row, facts); });
  return written.ok() && sorts_ ? write_sorted() : written;
}

absl::Status CustomersWriter::add(PartitionId partition, const CustomerRow& row,
                                  const CustomerFacts& facts) {
  if (facts.frequency == 0 && options_.customers == Customers::kWithPurchases)
    return absl::OkStatus();
  ++count_;
  fill_customer(figures_of(row, facts, state_.rules_of(row), state_.rules(), history_), partition,
                options_.outlook, line_);
  if (!sorts_) return output_.write(line_);
  lines_.push_back({row.id, partition, line_});
  return absl::OkStatus();
}

absl::Status CustomersWriter::write_sorted() {
  std::ranges::sort(lines_, [](const Line& a, const Line& b) {
    return std::tie(a.customer_id, a.partition) < std::tie(b.customer_id, b.partition);
  });
  for (const Line& line : lines_) {
    if (absl::Status written = output_.write(line.row); !written.ok()) return written;
  }
  const auto same = [](const Line& a, const Line& b) { return a.customer_id == b.customer_id; };
  if (const auto split = std::ranges::adjacent_find(lines_, same); split != lines_.end()) {
    fmt::print(stderr,
               "note: some customers are in several partitions, the first {}: their records were "
               "not partitioned alike\n",
               shown(split->customer_id));
  }
  return absl::OkStatus();
}

}  // namespace rfm
