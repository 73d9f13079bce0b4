#include "config/options.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "config/setting_value.h"
#include "state/assertion.h"

namespace rfm {

namespace {

constexpr std::array<std::string_view, 7> kWeekdays = {
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};

InputFormat input_format(std::string_view name) {
  if (name == "lines") return InputFormat::kLines;
  if (name == "invoices") return InputFormat::kInvoices;
  RFM_ASSERT(name == "csv");
  return InputFormat::kCsv;
}

CsvOptions csv_options(const Settings& settings) {
  const auto is = [&](std::string_view key, std::string_view value) {
    return settings.text(key) == value;
  };
  CsvOptions options;
  options.separator = is("input.separator", "comma")       ? ','
                      : is("input.separator", "semicolon") ? ';'
                      : is("input.separator", "tab")       ? '\t'
                      : is("input.separator", "pipe")      ? '|'
                                                           : '\0';
  options.encoding = is("input.encoding", "cp1252")    ? TextEncoding::kCp1252
                     : is("input.encoding", "latin-1") ? TextEncoding::kLatin1
                                                       : TextEncoding::kUtf8;
  options.numbers.decimal_mark = is("input.decimal", "comma") ? ',' : '.';
  options.numbers.thousands_mark = is("input.thousands", "comma")        ? ','
                                   : is("input.thousands", "point")      ? '.'
                                   : is("input.thousands", "space")      ? ' '
                                   : is("input.thousands", "apostrophe") ? '\''
                                                                         : '\0';
  options.date_order = is("input.date_order", "mdy")   ? DateOrder::kMonth
                       : is("input.date_order", "dmy") ? DateOrder::kDay
                       : is("input.date_order", "ymd") ? DateOrder::kYear
                                                       : DateOrder::kUnstated;
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    const std::string_view name = csv_setting(static_cast<Field>(i));
    if (!name.empty()) options.columns[i] = settings.text(fmt::format("input.columns.{}", name));
  }
  return options;
}

EpochUnit epoch_unit(std::string_view name) {
  if (name == "seconds") return EpochUnit::kSeconds;
  if (name == "milliseconds") return EpochUnit::kMilliseconds;
  if (name == "microseconds") return EpochUnit::kMicroseconds;
  if (name == "nanoseconds") return EpochUnit::kNanoseconds;
  return EpochUnit::kNone;
}

DeadLetterOptions::Action dead_letter_action(std::string_view name) {
  if (name == "stop") return DeadLetterOptions::Action::kStop;
  if (name == "continue") return DeadLetterOptions::Action::kContinue;
  RFM_ASSERT(name == "pause");
  return DeadLetterOptions::Action::kPause;
}

}  // namespace

Rules rules(const Settings& settings) {
  Rules rules;
  rules.lateness = settings.duration("input.lateness");
  rules.settle = settings.duration("input.settle");
  rules.future_max = settings.duration("input.future_max");
  rules.dedup_horizon = settings.duration("dedup.horizon");
  rules.ledger_entries_max = static_cast<std::uint32_t>(settings.integer("ledger.entries_max"));
  rules.ledger_fold_age = settings.duration("ledger.fold_age");
  rules.ledger_hard_max = static_cast<std::uint32_t>(settings.integer("ledger.hard_max"));
  rules.monetary =
      settings.text("rfm.monetary") == "gross" ? MonetaryKind::kGross : MonetaryKind::kNet;
  rules.window = settings.window("rfm.window");
  rules.keeps_sales = settings.text("sales.enabled") == "true";
  rules.keeps_moves = settings.text("moves.enabled") == "true";
  rules.sales_undo = settings.duration("sales.undo");
  rules.sales_products_max = static_cast<std::size_t>(settings.integer("sales.products_max"));
  rules.sales_countries_max = static_cast<std::size_t>(settings.integer("sales.countries_max"));
  rules.holdout_fraction = settings.real("output.holdout");
  rules.publish =
      settings.text("output.publish") == "actionable" ? Publish::kActionable : Publish::kAll;
  absl::StatusOr<Segmentations> segmentations = settings.segmentations();
  RFM_ASSERT(segmentations.ok());  // check_settings() has made them once.
  rules.segmentations = *std::move(segmentations);
  rules.quiet = settings.duration("action.quiet");
  rules.precedence =
      precedence_of(*parse_names(settings.text("action.precedence")), rules.segmentations);
  return rules;
}

TrainingOptions training_options(const Settings& settings) {
  const auto integer = [&](std::string_view key) {
    return static_cast<int>(settings.integer(key));
  };
  const auto* const weekday =
      std::find(kWeekdays.begin(), kWeekdays.end(), settings.text("model.refit_weekday"));
  RFM_ASSERT(weekday != kWeekdays.end());

  TrainingOptions options;
  const Segmentations segmentations = rules(settings).segmentations;
  options.cut_specs.assign(segmentations.cut_specs().begin(), segmentations.cut_specs().end());
  options.cluster_count = integer("model.clusters");
  options.cluster_history_ms = settings.duration("model.cluster_history").count();
  options.move_min = settings.real("model.move_min");
  options.schedule.trains = settings.text("model.training") == "true";
  options.schedule.refit_weekday = static_cast<int>(weekday - kWeekdays.begin());
  options.challenger_count = integer("model.challengers");
  options.challenger_gain = settings.real("model.challenger_gain");
  options.moved_max = settings.real("model.moved_max");
  options.population_on = integer("model.population_on");
  options.population_off = integer("model.population_off");
  options.sample_max = integer("model.sample_max");
  options.churn_weeks = integer("model.churn_weeks");
  options.churn_lambda = settings.real("model.churn_ridge");
  options.seed = static_cast<std::uint64_t>(settings.integer("model.seed"));
  return options;
}

DecoderOptions decoder_options(const Settings& settings, KeyPolicy keys) {
  const auto pointer = [&](std::string_view field) {
    return settings.text("input.fields." + std::string(field));
  };
  DecoderOptions options;
  options.format = input_format(settings.text("input.format"));
  options.keys = keys;
  options.currency = settings.text("input.currency");
  options.utc_offset = settings.utc_offset("input.utc_offset");
  options.record_bytes_max = static_cast<std::size_t>(settings.bytes("input.record_max"));
  options.csv = csv_options(settings);
  if (settings.text("input.key") == "any") options.key_rule = KeyRule::kAny;
  options.epoch = epoch_unit(settings.text("input.epoch"));
  options.types = settings.text("input.types");
  options.anonymous = settings.text("input.anonymous");
  options.fields = {.event_id = pointer("event_id"),
                    .type = pointer("type"),
                    .invoice_no = pointer("invoice_no"),
                    .credit_no = pointer("credit_no"),
                    .original_invoice_no = pointer("original_invoice_no"),
                    .customer_id = pointer("customer_id"),
                    .invoice_time = pointer("invoice_time"),
                    .currency = pointer("currency"),
                    .country = pointer("country"),
                    .net_total = pointer("net_total"),
                    .total = pointer("total"),
                    .refunded = pointer("refunded"),
                    .lines = pointer("lines"),
                    .stock_code = pointer("stock_code"),
                    .description = pointer("description"),
                    .quantity = pointer("quantity"),
                    .unit_price = pointer("unit_price"),
                    .revision = pointer("revision"),
                    .consent = pointer("consent")};
  return options;
}

KafkaOptions kafka_options(const Settings& settings, int lane) {
  KafkaOptions options;
  options.brokers = settings.text("kafka.brokers");
  options.application = settings.text("app.name");
  options.instance = settings.text("app.instance");
  options.lane = lane;
  options.input_topic = settings.text("input.topic");
  options.transitions_topic = settings.text("output.transitions");
  options.segments_topic = settings.text("output.segments");
  options.session_timeout = settings.duration("kafka.session_timeout");
  options.transaction_timeout = settings.duration("kafka.transaction_timeout");
  options.properties = settings.passthrough("kafka.properties.");
  return options;
}

LaneOptions lane_options(const Settings& settings) {
  LaneOptions options;
  options.application = settings.text("app.name");
  const std::string& partitioner = settings.text("input.partitioner");
  options.partitioner = partitioner == "murmur2" ? InputPartitioner::kMurmur2
                        : partitioner == "crc32" ? InputPartitioner::kCrc32
                                                 : InputPartitioner::kAny;
  options.input_topic = settings.text("input.topic");
  options.commit_interval = settings.duration("commit.interval");
  options.commit_interval_behind = settings.duration("commit.interval_behind");
  options.behind_records = settings.integer("commit.behind_records");
  options.transaction_records_max =
      static_cast<std::size_t>(settings.integer("commit.records_max"));
  options.transaction_bytes_max = static_cast<std::size_t>(settings.bytes("commit.bytes_max"));
  options.tick_idle = settings.duration("tick.idle");
  options.dead_letters = {.action = dead_letter_action(settings.text("input.dead_letters_action")),
                          .share_max = settings.real("input.dead_letters_share")};
  return options;
}

}  // namespace rfm
