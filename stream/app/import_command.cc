#include "stream/app/import_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "config/options.h"
#include "stream/app/choice_option.h"
#include "stream/app/csv_events.h"
#include "stream/app/progress.h"
#include "stream/app/record_output.h"
#include "stream/app/stop_signal.h"
#include "stream/decode/decoder.h"
#include "stream/decode/input_review.h"
#include "stream/file/file_source.h"

namespace rfm {

namespace {

struct Arguments {
  SettingsArguments settings;
  std::string input = "-";
  InputFormat as = InputFormat::kLines;
  std::string output = "-";
  bool to_kafka = false;
  int copies = 1;
  bool allow_refused = false;
};

class Import {
 public:
  Import(const Arguments& arguments, const DecoderOptions& options, FileSource& source,
         RecordOutput& output)
      : arguments_(arguments),
        options_(options),
        source_(source),
        output_(output),
        decoder_(with_review(options)),
        invoices_(options.currency),
        progress_("imported", "rows") {}
  Import(const Import&) = delete;
  Import& operator=(const Import&) = delete;

  absl::Status run() {
    constexpr std::size_t kBatch = 4'096;
    while (!stop_.asked()) {
      const absl::StatusOr<std::span<const RecordView>> batch = source_.read(0, kBatch);
      if (!batch.ok()) return batch.status();
      if (batch->empty() && source_.at_end(0)) break;
      for (const RecordView& record : *batch) {
        if (absl::Status status = add(record); !status.ok()) return status;
      }
      progress_.update(rows_, fraction(), "");
    }
    if (gathers() && !stop_.asked()) {
      const absl::Status status =
          invoices_.for_each([&](const JsonEvent& event) { return write(event); });
      if (!status.ok()) return status;
    }
    if (rows_ > 0 && review_.refused() == rows_) {
      print_findings();
      return absl::FailedPreconditionError(
          fmt::format("{}: not one row could be used; nothing was written", arguments_.input));
    }
    if (absl::Status status = output_.finish(); !status.ok()) return status;
    progress_.finish(rows_, "");
    if (adjustments_ > 0) {
      fmt::print(
          stderr,
          "left out: {} rows of adjustments (invoice numbers of A and digits, without customer)\n",
          adjustments_);
    }
    print_findings();
    if (rows_ == 0) fmt::print(stderr, "note: {} holds no rows\n", arguments_.input);
    fmt::print(stderr, "{} rows read, {}\n", grouped(rows_), output_.summary());
    if (stop_.asked()) return interrupted("the output is not complete");
    if (review_.refused() == 0 || arguments_.allow_refused) return absl::OkStatus();
    return absl::FailedPreconditionError(
        fmt::format("{}: {} of {} rows could not be used and are left out (--allow-refused: exit "
                    "status 0 nevertheless)",
                    arguments_.input, review_.refused(), rows_));
  }

 private:
  DecoderOptions with_review(DecoderOptions options) {
    options.review = &review_;
    return options;
  }

  // Whole orders are invoices as they are.
  bool gathers() const {
    return arguments_.as == InputFormat::kInvoices && options_.csv_layout->rows == CsvRows::kLines;
  }

  // With several copies each row is followed by its copies: all are in time order, as the file is.
  absl::Status add(const RecordView& record) {
    ++rows_;
    const DecodedEvent event = decoder_.decode(record);
    if (std::holds_alternative<Rejection>(event)) return review_.status();
    if (std::holds_alternative<Adjustment>(event) && gathers()) {
      ++adjustments_;
      return absl::OkStatus();
    }
    const CsvSale sale = csv_sale(decoder_.csv_fields(), event, options_.csv.numbers);
    const int first = arguments_.copies == 1 ? 0 : 1;
    for (int copy = first; copy < first + arguments_.copies; ++copy) {
      const CsvSale mine = copy_of(sale, copy);
      if (gathers()) {
        invoices_.add(mine);
        continue;
      }
      const std::string value = arguments_.as == InputFormat::kInvoices
                                    ? order_event(mine, options_.currency)
                                    : line_event(mine);
      JsonEvent one{.key = std::nullopt, .value = value};
      if (!mine.customer_id.empty()) one.key = mine.customer_id;
      if (absl::Status status = write(one); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status write(const JsonEvent& event) { return output_.write(event.key, event.value); }

  void print_findings() {
    for (const std::string& refusal : review_.refusals())
      fmt::print(stderr, "refused: {}\n", refusal);
    for (const std::string& finding : review_.findings()) fmt::print(stderr, "note: {}\n", finding);
  }

  std::optional<double> fraction() const {
    const std::optional<std::uint64_t> total = source_.bytes_total();
    if (!total || *total == 0) return std::nullopt;
    return static_cast<double>(source_.bytes_read()) / static_cast<double>(*total);
  }

  const Arguments& arguments_;
  const DecoderOptions& options_;
  FileSource& source_;
  RecordOutput& output_;
  InputReview review_{InputFormat::kCsv};
  Decoder decoder_;
  GatheredInvoices invoices_;
  Progress progress_;
  StopSignal stop_;
  std::uint64_t rows_ = 0;
  std::uint64_t adjustments_ = 0;
};

absl::Status import(const Arguments& arguments) {
  const absl::StatusOr<Settings> settings = arguments.settings.load();
  if (!settings.ok()) return settings.status();
  DecoderOptions decoder = decoder_options(*settings, KeyPolicy::kIfPresent);
  const bool as_configured = decoder.format == arguments.as;
  decoder.format = InputFormat::kCsv;
  FileSourceOptions source_options;
  source_options.path = arguments.input;
  source_options.format = InputFormat::kCsv;
  source_options.csv = decoder.csv;
  const absl::StatusOr<std::unique_ptr<FileSource>> source = FileSource::open(source_options);
  if (!source.ok()) return source.status();
  decoder.csv_layout = (*source)->csv_layout();
  fmt::print(stderr, "{}\n", (*source)->csv_found());
  if (decoder.csv_layout->rows == CsvRows::kOrders && arguments.as == InputFormat::kLines) {
    return absl::InvalidArgumentError(
        fmt::format("{}: its rows are whole orders: --as invoices", arguments.input));
  }
  if (arguments.to_kafka && !as_configured) {
    return absl::InvalidArgumentError(
        "--as: the topic input.topic is read as the setting input.format says; they must agree");
  }
  std::error_code different;
  if (!arguments.to_kafka &&
      std::filesystem::equivalent(arguments.input, arguments.output, different)) {
    return absl::InvalidArgumentError(
        fmt::format("--output {} is the input itself: name another file", arguments.output));
  }
  absl::StatusOr<RecordOutput> output =
      arguments.to_kafka ? RecordOutput::open_topic(kafka_options(*settings, 0), "import")
                         : RecordOutput::open_file(arguments.output, OutputFile::Place::kBeside);
  if (!output.ok()) return output.status();
  return Import(arguments, decoder, **source, *output).run();
}

}  // namespace

void add_import_command(CLI::App& app, Invocation& invocation) {
  // Shared with CLI11's callbacks.
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& command =
      *app.add_subcommand("import", "Turn a CSV into events, in a file or the input topic");
  command.add_option("input", arguments->input, "CSV file with its header; -: standard input")
      ->required()
      ->type_name("CSV|-");
  const std::map<std::string, InputFormat> formats = {{"lines", InputFormat::kLines},
                                                      {"invoices", InputFormat::kInvoices}};
  add_choice(command, "--as", arguments->as, formats,
             "lines (default): one event a row, in the file's order; invoices: one event an "
             "invoice, as of its last row, or one an order where a row is one")
      .type_name("FORMAT");
  CLI::Option* const file =
      command
          .add_option("--output,-o", arguments->output,
                      "JSON lines, replaced when all is written (default: -, standard output)")
          ->type_name("FILE|-");
  command
      .add_flag("--kafka", arguments->to_kafka,
                "Into the topic input.topic at kafka.brokers, keyed by customer")
      ->excludes(file);
  command
      .add_option(
          "--copies", arguments->copies,
          "Repeat the history so many times, with -1, -2, ... behind customer and invoice numbers")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::Range(1, 1'000).description("1 to 1,000"));
  command.add_flag("--allow-refused", arguments->allow_refused,
                   "Exit status 0 although rows were refused");
  add_settings_arguments(command, arguments->settings);
  command.footer(
      "Rows are checked and read as `replay` reads them, by the settings of [input] and\n"
      "[input.columns]. Those that cannot be used are left out and listed by reason, with counts\n"
      "and examples; the exit status is then 1 (unless --allow-refused), and what could be used "
      "is\n"
      "written.\n"
      "\n"
      "Examples:\n"
      "  rfmstream import online_retail.csv -o lines.jsonl\n"
      "  rfmstream import online_retail.csv --as invoices -o invoices.jsonl\n"
      "  rfmstream import online_retail.csv.xz --kafka --set "
      "kafka.brokers=localhost:9092\n"
      "  rfmstream import orders.csv --as invoices -o invoices.jsonl --set "
      "input.columns.invoice_no=order_id --set input.columns.invoice_time=order_date --set "
      "input.columns.total=revenue");
  command.callback(
      [arguments, &invocation] { invocation.run = [arguments] { return import(*arguments); }; });
}

}  // namespace rfm
