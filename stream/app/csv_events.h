// Rows of a CSV as JSON events: one by one, or gathered into invoices.
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
#include "state/event_time.h"
#include "state/money.h"
#include "stream/decode/event.h"
#include "stream/decode/record_fields.h"
#include "stream/text/decimal.h"

namespace rfm {

// A row that the decoder has accepted, copied. Numbers have a decimal point and nothing else, and
// customer and invoice numbers written as "17850.0" are "17850". An id that means nobody is empty.
struct CsvSale {
  std::string event_id;  // Empty, as others may be: none.
  std::string invoice_no;
  std::string customer_id;
  std::string country;
  std::string stock_code;   // Lines only, as are the next three.
  std::string description;  //
  std::string quantity;     //
  std::string unit_price;   //
  std::string total;        // Orders only, as are the next three.
  std::string original_invoice_no;
  std::string revision;
  std::optional<bool> consent{};
  InvoiceType type = InvoiceType::kInvoice;
  EventTime time{};
  Money amount{};          // As written: the sign of a credit's means nothing.
  std::int64_t units = 0;  // Lines only: the quantity in 10^-4, as written.
};

// `fields` is what `event` was decoded from, with numbers written in the form `numbers`. The event
// is not a rejection, a tombstone or another one that CSV does not have.
CsvSale csv_sale(const RecordFields& fields, const DecodedEvent& event, const NumberForm& numbers);

// Copy k > 0 of a history: customer and invoice numbers end in "-k". Copy 0 is the original.
CsvSale copy_of(const CsvSale& sale, int copy);

// One event: views live until the converter's next call.
struct JsonEvent {
  std::optional<std::string_view> key;  // Absent: no customer.
  std::string_view value;
};

// A line as a line event with the UCI field names.
std::string line_event(const CsvSale& line);

// A whole order as an invoice event.
std::string order_event(const CsvSale& order, std::string_view currency);

// Invoice events: all lines of an invoice number and customer, as of the last line's time and in
// the order of the last lines. Credits do not name their invoice; lines that add up to less than
// zero are a credit, too.
class GatheredInvoices {
 public:
  explicit GatheredInvoices(std::string currency) : currency_(std::move(currency)) {}

  void add(const CsvSale& line);

  // Calls `write` for each invoice, until it returns an error.
  absl::Status for_each(const std::function<absl::Status(const JsonEvent&)>& write);

  std::size_t size() const { return invoices_.size(); }

 private:
  __extension__ using Wide = __int128;

  struct Invoice {
    std::string invoice_no;
    std::string customer_id;
    std::string country;
    EventTime time{};
    std::uint64_t last_row = 0;
    Wide units = 0;     // Sum of the lines.
    std::string lines;  // The elements of `lines`, each followed by a comma.
  };

  std::string currency_;
  std::uint64_t rows_ = 0;
  std::vector<Invoice> invoices_;
  std::map<std::pair<std::string, std::string>, std::size_t> index_;  // (invoice, customer)
};

}  // namespace rfm
