// Online Retail as customers' histories, read straight from the CSV: another code path than the
// product's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/contribution.h"

namespace rfm {

// What cancellations (invoice numbers with a leading C) are worth.
enum class Cancellations : std::uint8_t {
  kIgnored,   // Variant D: gross.
  kDeducted,  // From monetary: net.
};

class RetailHistory {
 public:
  // From RFM_DATA_DIR, or ../shared/data beside the checkout; nothing if the file or xz is not
  // there.
  static std::optional<RetailHistory> load(Cancellations cancellations = Cancellations::kIgnored);

  // Customers with a purchase before `at_ms`, as of then, sorted by id_hash.
  std::vector<SampleRow> snapshot(std::int64_t at_ms) const;

  // The days (since 1970-01-01) on which each customer bought.
  std::map<std::uint64_t, std::set<std::int64_t>> purchase_days() const;

  std::size_t customer_count() const { return customer_ids_.size(); }

 private:
  struct Line {
    std::int64_t time_ms = 0;
    std::int64_t amount = 0;  // 10^-4 pounds.
    std::uint32_t customer = 0;
    std::uint32_t is_new_invoice = 0;
    bool is_cancellation = false;
  };

  std::vector<Line> lines_;  // In the order of time.
  std::vector<std::uint64_t> customer_ids_;
};

// Reads a whole command's output by line; false if it fails.
bool read_lines(const std::string& command, std::vector<std::string>& lines);

// Where the data sets are.
std::string data_dir();

// Milliseconds since 1970-01-01 of a civil date at midnight UTC.
std::int64_t midnight_ms(int year, int month, int day);

}  // namespace rfm
