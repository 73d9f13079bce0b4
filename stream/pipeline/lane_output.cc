#include "stream/pipeline/lane_output.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "stream/format/explanation.h"
#include "stream/text/decimal.h"
#include "stream/text/json_text.h"
#include "stream/text/time_text.h"

namespace rfm {

LaneOutput::LaneOutput(OutputSink& sink, const TimeContext& logs, Names names, Threading threading)
    : sink_(sink),
      logs_(logs),
      application_(names.application),
      input_topic_(std::move(names.input_topic)),
      currency_(std::move(names.currency)),
      writer_({.application = std::move(names.application)}) {
  if (threading == Threading::kOwnThread)
    worker_.emplace("output", [this](Event& event) { write(event); });
}

void LaneOutput::append(OutputTopic topic, std::optional<PartitionId> partition,
                        std::optional<std::string_view> key, std::optional<std::string_view> value,
                        std::span<const Header> headers) {
  finish();
  ++pending_records_;
  put(topic, partition, key, value, headers);
  finish();
}

void LaneOutput::put(OutputTopic topic, std::optional<PartitionId> partition,
                     std::optional<std::string_view> key, std::optional<std::string_view> value,
                     std::span<const Header> headers) {
  std::size_t bytes = (key ? key->size() : 0) + (value ? value->size() : 0);
  for (const Header& header : headers) bytes += header.name.size() + header.value.size();
  pending_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  const absl::Status appended = sink_.append(topic, partition, key, value, headers);
  if (put_status_.ok()) put_status_ = appended;
}

// The sink is the lane's again.
void LaneOutput::finish() {
  if (worker_) worker_->finish();
  if (status_.ok()) status_ = std::exchange(put_status_, absl::OkStatus());
}

void LaneOutput::transition(const Transition& transition, const TransitionContext& context) {
  ++pending_records_;  // Also of one that is not published: the current segments will come.
  if (!sink_.keeps(OutputTopic::kTransitions) && !sink_.keeps(OutputTopic::kSegments)) return;
  const CustomerRow& row = *transition.row;
  Event event{.transition = transition,
              .subject = {.id = row.id, .birth = row.birth, .consent = transition.consent},
              .context = context,
              .cause = std::nullopt};
  if (transition.cause != nullptr) event.cause = *transition.cause;
  move(row, transition.after);
  const Rules& rules = *transition.rules;
  const bool acted_on = suppressed_by(event.transition, event.subject, context, rules).empty();
  transitions_.add(
      rules.segmentations[transition.segmentation].name(), transition.reason,
      acted_on ? TransitionCounts::Use::kActionable : TransitionCounts::Use::kSuppressed);
  if (rules.publish == Publish::kActionable && !acted_on) return;
  if (worker_) return worker_->add(std::move(event));
  write(event);
  finish();
}

void LaneOutput::rules_adopted(const CustomerRow& row, const CustomerFacts& facts) {
  move(row, facts);
  ++pending_records_;
}

void LaneOutput::move(const CustomerRow& row, const CustomerFacts& facts) {
  if (!sink_.keeps(OutputTopic::kSegments)) return;
  const auto [moved, first] = moved_.try_emplace(&row);
  if (first) moved_order_.push_back(&row);
  if (first || moved->second.at <= facts.at) moved->second = facts;
}

void LaneOutput::write(Event& event) {
  if (event.cause) event.transition.cause = &*event.cause;
  writer_.write(event.transition, event.subject, event.context);
  put(OutputTopic::kTransitions, std::nullopt, event.subject.id, writer_.body(), writer_.headers());
}

void LaneOutput::append_segments() {
  finish();
  for (const CustomerRow* row : moved_order_) {
    const auto moved = moved_.find(row);
    if (moved == moved_.end()) continue;
    append(OutputTopic::kSegments, std::nullopt, row->id,
           writer_.write_segments(*row, logs_.rules_of(*row), moved->second), {});
    moved_.erase(moved);
  }
  moved_order_.clear();
}

void LaneOutput::mark_committed() {
  pending_records_ = 0;
  pending_bytes_ = 0;
  transitions_.clear();
}

void LaneOutput::abandon() {
  finish();
  mark_committed();
  moved_.clear();
  moved_order_.clear();
}

void LaneOutput::erased(const Erasure& erasure) {
  if (erasure.row != nullptr) moved_.erase(erasure.row);
  append(OutputTopic::kSegments, std::nullopt, erasure.customer_id, std::nullopt, {});
  const ErasureReceipt receipt = receipt_of(erasure, application_);
  append(OutputTopic::kReceipts, std::nullopt, receipt.key, receipt.value, {});
}

void LaneOutput::dead_letter(const RecordView& record, const Rejection& rejection,
                             PartitionId partition) {
  const std::vector<RecordHeader> original = record.headers.read();
  const std::string partition_text = fmt::format("{}", partition);
  const std::string offset = fmt::format("{}", record.offset);
  std::vector<Header> headers;
  for (const RecordHeader& header : original)
    headers.push_back({header.name, header.value.value_or("")});
  headers.push_back({"__streams.errors.exception", name(rejection.reason)});
  headers.push_back({"__streams.errors.message", rejection.message});
  headers.push_back({"__streams.errors.topic", input_topic_});
  headers.push_back({"__streams.errors.partition", partition_text});
  headers.push_back({"__streams.errors.offset", offset});
  append(OutputTopic::kDeadLetters, std::nullopt, record.key, record.value, headers);
}

void LaneOutput::rejected_invoice(const CustomerRow& row, const SettledInvoice& settled,
                                  PartitionId partition) {
  const OpenInvoice& invoice = settled.invoice;
  TextBuffer value;
  JsonText out(value);
  out.begin_object();
  out.key("type").text(invoice.type == InvoiceType::kCredit ? "credit" : "invoice");
  out.key("invoice_no").text(invoice.invoice_no);
  out.key("customer_id").text(row.id);
  out.key("invoice_time").text(to_rfc3339(invoice.last_line));
  out.key("currency").text(currency_);
  out.key("country").text(invoice.country);
  out.key("total").text(to_text(invoice.sum));
  out.end_object();
  const std::string partition_text = fmt::format("{}", partition);
  const Rejection rejection = rejection_of(settled.outcome, invoice.invoice_no);
  const std::string message =
      fmt::format("{}; its lines add up to {}", rejection.message, to_text(invoice.sum));
  const std::array<Header, 4> headers = {{{"__streams.errors.exception", name(rejection.reason)},
                                          {"__streams.errors.message", message},
                                          {"__streams.errors.topic", input_topic_},
                                          {"__streams.errors.partition", partition_text}}};
  append(OutputTopic::kDeadLetters, std::nullopt, row.id, value.view(), headers);
}

}  // namespace rfm
