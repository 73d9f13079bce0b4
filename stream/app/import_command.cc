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
#include "stream/app/progress.h"
#include "stream/app/record_output.h"
#include "stream/app/stop_signal.h"
#include "stream/app/uci_conversion.h"
#include "stream/decode/field_values.h"
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
};

class Import {
 public:
  Import(const Arguments& arguments, const DecoderOptions& decoder, FileSource& source,
         RecordOutput& output)
      : arguments_(arguments),
        source_(source),
        output_(output),
        invoices_(decoder.currency, decoder.utc_offset),
        progress_("imported", "rows") {}

  absl::Status run() {
    constexpr std::size_t kBatch = 4'096;
    while (!stop_.asked()) {
      const absl::StatusOr<std::span<const RecordView>> batch = source_.read(0, kBatch);
      if (!batch.ok()) return batch.status();
      if (batch->empty() && source_.at_end(0)) break;
      for (const RecordView& record : *batch) {
        ++rows_;
        if (absl::Status status = add(record.value.value_or("")); !status.ok()) {
          if (status.code() != absl::StatusCode::kInvalidArgument) return status;
          return absl::InvalidArgumentError(fmt::format("{}: row {} after the header: {}",
                                                        arguments_.input, rows_,
                                                        std::string(status.message())));
        }
      }
      progress_.update(rows_, fraction(), "");
    }
    if (arguments_.as == InputFormat::kInvoices && !stop_.asked()) {
      const absl::Status status =
          invoices_.for_each([&](const JsonEvent& event) { return write(event); });
      if (!status.ok()) return status;
    }
    if (absl::Status status = output_.finish(); !status.ok()) return status;
    progress_.finish(rows_, fmt::format("{} events written", grouped(events_)));
    if (adjustments_ > 0) {
      fmt::print(stderr, "left out: {} rows of adjustments (invoice numbers of A and digits)\n",
                 adjustments_);
    }
    return stop_.asked() ? interrupted("the output is not complete") : absl::OkStatus();
  }

 private:
  // With several copies each row is followed by its copies: all are in time order, as the file is.
  absl::Status add(std::string_view text) {
    const absl::StatusOr<UciRow> row = read_uci_row(text);
    if (!row.ok()) return row.status();
    if (arguments_.as == InputFormat::kInvoices && is_adjustment(row->invoice_no)) {
      ++adjustments_;
      return absl::OkStatus();
    }
    const int first = arguments_.copies == 1 ? 0 : 1;
    for (int copy = first; copy < first + arguments_.copies; ++copy) {
      const UciRow mine = copy_of(*row, copy);
      absl::Status status =
          arguments_.as == InputFormat::kInvoices ? invoices_.add(mine) : write_line(mine);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status write_line(const UciRow& row) {
    const std::string value = line_event(row);
    JsonEvent event;
    if (!row.customer_id.empty()) event.key = row.customer_id;
    event.value = value;
    return write(event);
  }

  absl::Status write(const JsonEvent& event) {
    ++events_;
    return output_.write(event.key, event.value);
  }

  std::optional<double> fraction() const {
    const std::optional<std::uint64_t> total = source_.bytes_total();
    if (!total || *total == 0) return std::nullopt;
    return static_cast<double>(source_.bytes_read()) / static_cast<double>(*total);
  }

  const Arguments& arguments_;
  FileSource& source_;
  RecordOutput& output_;
  UciInvoices invoices_;
  Progress progress_;
  StopSignal stop_;
  std::uint64_t rows_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t adjustments_ = 0;
};

absl::Status import(const Arguments& arguments) {
  const absl::StatusOr<Settings> settings = arguments.settings.load();
  if (!settings.ok()) return settings.status();
  FileSourceOptions source_options;
  source_options.path = arguments.input;
  source_options.format = InputFormat::kCsv;
  const absl::StatusOr<std::unique_ptr<FileSource>> source = FileSource::open(source_options);
  if (!source.ok()) return source.status();
  const bool as_configured =
      decoder_options(*settings, KeyPolicy::kRequired).format == arguments.as;
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
  return Import(arguments, decoder_options(*settings, KeyPolicy::kIfPresent), **source, *output)
      .run();
}

}  // namespace

void add_import_command(CLI::App& app, Invocation& invocation) {
  // Shared with CLI11's callbacks.
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& command = *app.add_subcommand(
      "import",
      "Turn a CSV with the columns of UCI Online Retail into events, in a file or the input topic");
  command.add_option("input", arguments->input, "CSV file with its header; -: standard input")
      ->required()
      ->type_name("CSV|-");
  const std::map<std::string, InputFormat> formats = {{"lines", InputFormat::kLines},
                                                      {"invoices", InputFormat::kInvoices}};
  add_choice(command, "--as", arguments->as, formats,
             "lines (default): one event a row, in the file's order; invoices: one event an "
             "invoice, as of its last row")
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
  add_settings_arguments(command, arguments->settings);
  command.footer(
      "Examples:\n"
      "  rfmstream import online_retail.csv -o lines.jsonl\n"
      "  rfmstream import online_retail.csv --as invoices -o invoices.jsonl\n"
      "  xz -dc online_retail.csv.xz | rfmstream import - --kafka --set "
      "kafka.brokers=localhost:9092");
  command.callback(
      [arguments, &invocation] { invocation.run = [arguments] { return import(*arguments); }; });
}

}  // namespace rfm
