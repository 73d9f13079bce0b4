// Rows of UCI Online Retail as JSON events: one by one, or gathered into invoices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "state/event_time.h"
#include "stream/text/time_text.h"

namespace rfm {

// The eight columns in the header's order. Customer and invoice numbers written as "17850.0" are
// "17850".
struct UciRow {
  std::string invoice_no;
  std::string stock_code;
  std::string description;
  std::string quantity;
  std::string invoice_date;
  std::string unit_price;
  std::string customer_id;  // Empty: none.
  std::string country;
};

// InvalidArgument saying what is wrong with the row's form; the fields are not looked at.
absl::StatusOr<UciRow> read_uci_row(std::string_view text);

// Copy k > 0 of a history: customer and invoice numbers end in "-k". Copy 0 is the original.
UciRow copy_of(const UciRow& row, int copy);

// One event: views live until the converter's next call.
struct JsonEvent {
  std::optional<std::string_view> key;  // Absent: no customer.
  std::string_view value;
};

// The row as a line event with the UCI field names.
std::string line_event(const UciRow& row);

// Invoice events: all rows of an invoice number and customer, as of the last row's time and in the
// order of the last rows. Credits ('C') do not name their invoice.
class UciInvoices {
 public:
  UciInvoices(std::string currency, std::chrono::minutes utc_offset);

  // InvalidArgument if the time is none.
  absl::Status add(const UciRow& row);

  // Calls `write` for each invoice, until it returns an error.
  absl::Status for_each(const std::function<absl::Status(const JsonEvent&)>& write);

  std::size_t size() const { return invoices_.size(); }

 private:
  struct Invoice {
    std::string invoice_no;
    std::string customer_id;
    std::string country;
    EventTime time{};
    std::uint64_t last_row = 0;
    std::string lines;  // The elements of `lines`, each followed by a comma.
  };

  std::string currency_;
  TimeReader time_reader_;
  std::uint64_t rows_ = 0;
  std::vector<Invoice> invoices_;
  std::map<std::pair<std::string, std::string>, std::size_t> index_;  // (invoice, customer)
};

}  // namespace rfm
