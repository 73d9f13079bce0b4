#include "stream/app/csv_sales.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <variant>

#include "config/options.h"
#include "state/hashes.h"
#include "stream/analyse/money_sum.h"
#include "stream/app/command.h"
#include "stream/app/progress.h"
#include "stream/app/stop_signal.h"
#include "stream/decode/decoder.h"
#include "stream/decode/input_review.h"
#include "stream/file/file_source.h"

namespace rfm {
namespace {

// What credits add up to as they are written, and so which of them are written with the sign of a
// sale: not each line by itself, as a fee may stand among what is given back.
class CreditSums {
 public:
  void add(const CsvSale& sale) {
    if (is_part(sale)) add_to(sums_[{sale.invoice_no, sale.customer_id}], sale.amount);
  }

  void turn(CsvSale& sale) const {
    if (sale.type != InvoiceType::kCredit) return;
    const auto whole = sums_.find({sale.invoice_no, sale.customer_id});
    const Money sum = is_part(sale) && whole != sums_.end() ? whole->second : sale.amount;
    if (!(Money{} < sum)) return;
    sale.amount = -sale.amount;
    sale.units = -sale.units;
    if (sale.quantity.empty()) return;
    Decimal quantity = parse_decimal(sale.quantity).value;
    quantity.coefficient = -quantity.coefficient;
    sale.quantity = to_text(quantity);
  }

 private:
  // An order is whole, and nothing says which lines of nobody belong together.
  static bool is_part(const CsvSale& sale) {
    return sale.type == InvoiceType::kCredit && sale.total.empty() && !sale.customer_id.empty();
  }

  std::map<std::pair<std::string, std::string>, Money> sums_;  // By invoice and customer.
};

absl::StatusOr<CsvRead> read_rows(const std::string& path, const Settings& settings,
                                  const CsvEnd& end,
                                  const std::function<absl::Status(CsvSale)>& visit) {
  constexpr std::size_t kBatch = 4'096;
  DecoderOptions options = decoder_options(settings, KeyPolicy::kIfPresent);
  options.format = InputFormat::kCsv;
  FileSourceOptions source_options;
  source_options.path = path;
  source_options.format = InputFormat::kCsv;
  source_options.csv = options.csv;
  const absl::StatusOr<std::unique_ptr<FileSource>> source = FileSource::open(source_options);
  if (!source.ok()) return source.status();
  options.csv_layout = (*source)->csv_layout();
  InputReview review(InputFormat::kCsv);
  options.review = &review;
  Decoder decoder(options);
  Progress progress("read", "rows");
  CsvRead read;
  while (true) {
    const absl::StatusOr<std::span<const RecordView>> batch = (*source)->read(0, kBatch);
    if (!batch.ok()) return batch.status();
    if (batch->empty() && (*source)->at_end(0)) break;
    for (const RecordView& record : *batch) {
      if (read.rows++ == 0) read.input_mark = record_hash(record.value.value_or(""));
      const DecodedEvent event = decoder.decode(record);
      if (std::holds_alternative<Rejection>(event)) {
        ++read.refused;
        if (absl::Status status = review.status(); !status.ok()) return status;
        continue;
      }
      CsvSale sale = csv_sale(decoder.csv_fields(), event, options.csv.numbers);
      if (sale.time >= end.time && (!sale.customer_id.empty() || read.rows > end.rows)) {
        ++read.later;
        continue;
      }
      if (absl::Status visited = visit(std::move(sale)); !visited.ok()) return visited;
    }
    progress.update(read.rows, std::nullopt, "");
    if (StopSignal().asked()) return interrupted("not all rows were read");
  }
  progress.finish(read.rows, "");
  return read;
}

// What is not there says so itself.
bool is_gone_once_read(const std::string& path) {
  if (path == "-") return true;
  std::error_code unknown;
  const std::filesystem::file_status status = std::filesystem::status(path, unknown);
  return std::filesystem::exists(status) && !std::filesystem::is_regular_file(status) &&
         !std::filesystem::is_directory(status);
}

}  // namespace

absl::StatusOr<CsvRead> read_csv_sales(const std::string& path, const Settings& settings,
                                       const CsvEnd& end,
                                       const std::function<absl::Status(const CsvSale&)>& visit) {
  if (is_gone_once_read(path))
    return absl::InvalidArgumentError(fmt::format("{} is read twice: it must be a file", path));
  CreditSums credits;
  const absl::StatusOr<CsvRead> summed = read_rows(path, settings, end, [&](const CsvSale& sale) {
    credits.add(sale);
    return absl::OkStatus();
  });
  if (!summed.ok()) return summed;
  return read_rows(path, settings, end, [&](CsvSale sale) {
    credits.turn(sale);
    return visit(sale);
  });
}

}  // namespace rfm
