#include "stream/app/csv_sales.h"

#include <memory>
#include <optional>
#include <variant>

#include "config/options.h"
#include "state/hashes.h"
#include "stream/app/progress.h"
#include "stream/decode/decoder.h"
#include "stream/decode/input_review.h"
#include "stream/file/file_source.h"

namespace rfm {

absl::StatusOr<CsvRead> read_csv_sales(const std::string& path, const Settings& settings,
                                       const std::function<absl::Status(const CsvSale&)>& visit) {
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
      const absl::Status visited =
          visit(csv_sale(decoder.csv_fields(), event, options.csv.numbers));
      if (!visited.ok()) return visited;
    }
    progress.update(read.rows, std::nullopt, "");
  }
  progress.finish(read.rows, "");
  return read;
}

}  // namespace rfm
