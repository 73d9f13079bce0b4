#include "stream/app/generate_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "config/options.h"
#include "config/setting_value.h"
#include "stream/app/choice_option.h"
#include "stream/app/progress.h"
#include "stream/app/record_output.h"
#include "stream/app/stop_signal.h"
#include "stream/generate/generated_records.h"
#include "stream/text/time_text.h"

namespace rfm {

namespace {

struct Arguments {
  SettingsArguments settings;
  GeneratorOptions history;
  RecordTextOptions text;
  std::optional<InputFormat> format;  // Absent: the setting's.
  std::string start;
  int from_day = 0;
  std::optional<int> to_day;  // Absent: to the end.
  std::string rate;
  std::string output = "-";
  bool to_kafka = false;
  bool around_the_clock = false;
  bool unnamed_credits = false;
};

constexpr std::string_view kCsvHeader =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country";

// "500", "500/s": records a second.
absl::StatusOr<double> parse_rate(std::string_view text) {
  std::string_view number = text;
  if (number.ends_with("/s")) number.remove_suffix(2);
  const std::optional<double> rate = parse_real(number);
  if (!rate || *rate <= 0) {
    return absl::InvalidArgumentError(
        fmt::format("--rate {} is refused; allowed: records a second such as 500/s", text));
  }
  return *rate;
}

// Keeps a steady rate of wall time. Sleeps only when at least a millisecond early.
class Pace {
 public:
  explicit Pace(double records_per_second) : rate_(records_per_second) {}

  // Waits until record `index` is due; shows what was written before.
  absl::Status wait_for(std::uint64_t index, RecordOutput& output, const StopSignal& stop) const {
    constexpr auto kShortest = std::chrono::milliseconds{1};
    const auto due =
        started_ + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                       std::chrono::duration<double>(static_cast<double>(index) / rate_));
    for (;;) {
      const auto early = due - std::chrono::steady_clock::now();
      if (early < kShortest || stop.asked()) return absl::OkStatus();
      if (absl::Status status = output.service(); !status.ok()) return status;
      constexpr std::chrono::steady_clock::duration kLongest = std::chrono::milliseconds{100};
      std::this_thread::sleep_for(std::min(early, kLongest));
    }
  }

 private:
  double rate_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

// Fills in what needs the settings.
absl::Status complete(Arguments& arguments, const Settings& settings) {
  const DecoderOptions decoder = decoder_options(settings, KeyPolicy::kRequired);
  arguments.text.format = arguments.format.value_or(decoder.format);
  arguments.text.currency = decoder.currency;
  if (arguments.unnamed_credits) arguments.text.credits = CreditReference::kUnnamed;
  if (arguments.around_the_clock) arguments.history.hours = TradingHours::kRoundTheClock;
  if (!arguments.start.empty()) {
    const std::optional<EventTime> start = TimeReader(decoder.utc_offset).read(arguments.start);
    const bool text_is_date =
        !start && TimeReader(decoder.utc_offset).read(arguments.start + "T00:00").has_value();
    if (!start && !text_is_date) {
      return absl::InvalidArgumentError(fmt::format(
          "--start {} is refused; allowed: a time such as 2024-01-01 or 2024-01-01T00:00:00Z",
          arguments.start));
    }
    arguments.history.start =
        start ? *start : *TimeReader(decoder.utc_offset).read(arguments.start + "T00:00");
  }
  if (arguments.to_day && *arguments.to_day <= arguments.from_day) {
    return absl::InvalidArgumentError(
        fmt::format("--to-day {} is refused; allowed: more than --from-day, which is {}",
                    *arguments.to_day, arguments.from_day));
  }
  if (arguments.history.tombstones > arguments.history.customers) {
    return absl::InvalidArgumentError(
        fmt::format("--tombstones {} is refused; allowed: at most --customers, which is {}",
                    arguments.history.tombstones, arguments.history.customers));
  }
  if (arguments.text.format == InputFormat::kCsv &&
      (arguments.to_kafka || arguments.history.tombstones > 0)) {
    return absl::InvalidArgumentError(
        "--format csv is for files and has no tombstones; use --format lines or invoices");
  }
  return absl::OkStatus();
}

absl::Status generate(Arguments& arguments) {
  const absl::StatusOr<Settings> settings = arguments.settings.load();
  if (!settings.ok()) return settings.status();
  if (absl::Status status = complete(arguments, *settings); !status.ok()) return status;
  std::optional<Pace> pace;
  if (!arguments.rate.empty()) {
    const absl::StatusOr<double> rate = parse_rate(arguments.rate);
    if (!rate.ok()) return rate.status();
    pace.emplace(*rate);
  }
  absl::StatusOr<RecordOutput> output =
      arguments.to_kafka ? RecordOutput::open_topic(kafka_options(*settings, 0), "generate")
                         : RecordOutput::open_file(arguments.output, OutputFile::Place::kItself);
  if (!output.ok()) return output.status();
  if (arguments.text.format == InputFormat::kCsv) {
    if (absl::Status status = output->write_header(kCsvHeader); !status.ok()) return status;
  }

  const StopSignal stop;
  constexpr std::uint64_t kProgressEvery = 4'096;
  Progress progress("generated", "records");
  GeneratedRecords records(arguments.history, arguments.text);
  const EventTime start = records.generator().start();
  const EventTime from = start + std::chrono::days{arguments.from_day};
  const EventTime to = arguments.to_day ? start + std::chrono::days{*arguments.to_day} : kNever;
  const double span = std::chrono::duration<double>(records.generator().end() - start).count();
  std::uint64_t count = 0;
  while (const std::optional<GeneratedRecord> record = records.next()) {
    if (record->emitted_at < from) continue;
    if (record->emitted_at >= to) break;
    if (pace) {
      if (absl::Status status = pace->wait_for(count, *output, stop); !status.ok()) return status;
    }
    if (absl::Status status = output->write(record->key, record->value); !status.ok())
      return status;
    ++count;
    if (!pace && count % kProgressEvery != 0) continue;
    const double done = std::chrono::duration<double>(record->emitted_at - start).count() / span;
    progress.update(count, std::min(1.0, done), "");
    if (stop.asked()) break;
  }
  if (absl::Status status = output->finish(); !status.ok()) return status;
  progress.finish(count, "");
  fmt::print(stderr, "{}\n", output->summary());
  return stop.asked() ? interrupted("the output is not complete") : absl::OkStatus();
}

void add_history_options(CLI::App& command, Arguments& arguments) {
  const std::string history = "History";
  command.add_option("--customers", arguments.history.customers, "How many customers")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::Range(1U, 20'000'000U).description("1 to 20,000,000"))
      ->group(history);
  command.add_option("--days", arguments.history.days, "Length of the history")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::Range(1, 36'500).description("1 to 36,500"))
      ->group(history);
  command
      .add_option("--from-day", arguments.from_day,
                  "Leave out what comes before day N; the rest stays the same")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::Range(0, 36'500).description("0 to 36,500"))
      ->group(history);
  command.add_option("--to-day", arguments.to_day, "End before day N; the rest stays the same")
      ->type_name("N")
      ->check(CLI::Range(1, 36'500).description("1 to 36,500"))
      ->group(history);
  command.add_option("--start", arguments.start, "Begin of the history (2024-01-01)")
      ->type_name("TIME")
      ->group(history);
  command.add_option("--seed", arguments.history.seed, "Another seed, another history")
      ->capture_default_str()
      ->type_name("N")
      ->group(history);
  command
      .add_flag("--around-the-clock", arguments.around_the_clock,
                "Sales at all hours of the week alike")
      ->group(history);
  command
      .add_option("--return-share", arguments.history.return_share,
                  "Share of the sales that are returned in part or whole")
      ->capture_default_str()
      ->type_name("X")
      ->check(CLI::Range(0.0, 1.0).description("0 to 1"))
      ->group(history);
  command
      .add_option("--late-share", arguments.history.late_share,
                  "Share of the sales that come minutes to hours late")
      ->capture_default_str()
      ->type_name("X")
      ->check(CLI::Range(0.0, 1.0).description("0 to 1"))
      ->group(history);
  command
      .add_option("--bad-share", arguments.text.bad_share,
                  "Records that cannot be used, on top, as a share")
      ->capture_default_str()
      ->type_name("X")
      ->check(CLI::Range(0.0, .9).description("0 to 0.9"))
      ->group(history);
  command
      .add_option("--tombstones", arguments.history.tombstones,
                  "Customers erased in the second half")
      ->capture_default_str()
      ->type_name("N")
      ->group(history);
  command
      .add_flag("--unnamed-credits", arguments.unnamed_credits,
                "Credits do not name their invoice (invoices)")
      ->group(history);
}

}  // namespace

void add_generate_command(CLI::App& app, Invocation& invocation) {
  // Shared with CLI11's callbacks.
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& command = *app.add_subcommand(
      "generate",
      "Write a synthetic retail history (same seed, same bytes) to a file or into the input topic");
  const std::map<std::string, InputFormat> formats = {{"lines", InputFormat::kLines},
                                                      {"invoices", InputFormat::kInvoices},
                                                      {"csv", InputFormat::kCsv}};
  add_choice(command, "--format", arguments->format, formats,
             "lines, invoices or csv; default: the setting input.format")
      .type_name("FORMAT");
  CLI::Option* const file =
      command.add_option("--output,-o", arguments->output, "File to write; -: standard output")
          ->type_name("FILE|-");
  command
      .add_flag("--kafka", arguments->to_kafka,
                "Into the topic input.topic at kafka.brokers, keyed by customer")
      ->excludes(file);

  add_history_options(command, *arguments);
  command
      .add_option("--rate", arguments->rate,
                  "Records a second of wall time, such as 500/s; default: full speed")
      ->type_name("N/s");
  add_settings_arguments(command, arguments->settings);
  command.footer(
      "Examples:\n"
      "  rfmstream generate --customers 5000 --format csv -o history.csv\n"
      "  rfmstream generate --customers 1000 --format invoices | head\n"
      "  rfmstream generate --kafka --to-day 180 && rfmstream generate --kafka --from-day 180 "
      "--rate 200/s\n"
      "  rfmstream generate --kafka --rate 500/s --late-share 0.02 --bad-share 0.001 --set "
      "input.topic=invoices");
  command.callback(
      [arguments, &invocation] { invocation.run = [arguments] { return generate(*arguments); }; });
}

}  // namespace rfm
