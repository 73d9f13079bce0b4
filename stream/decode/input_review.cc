#include "stream/decode/input_review.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "state/hashes.h"
#include "stream/text/time_text.h"
#include "stream/text/utf8.h"

namespace rfm {
namespace {

constexpr std::size_t kCustomersMax = std::size_t{1} << 18;  // Some 45 MB.
constexpr std::size_t kOtherFormsMax = 1'000;
constexpr std::size_t kExamplesMax = 3;
constexpr std::size_t kIdDigitsMax = 32;

// What programs write where there is nothing.
bool means_nobody(std::string_view id) {
  constexpr std::array<std::string_view, 7> kNobody = {"null", "nan",  "n/a", "#n/a",
                                                       "na",   "none", "nil"};
  return std::ranges::any_of(kNobody, [&](std::string_view nobody) {
    return std::ranges::equal(id, nobody, {}, [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
  });
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool are_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

// "1.785E+04" is "17850"; empty: another form, or no whole number.
std::string without_exponent(std::string_view id) {
  const std::size_t e = id.find_first_of("eE");
  if (e == std::string_view::npos) return "";
  std::string_view exponent = id.substr(e + 1);
  if (exponent.starts_with('+')) exponent.remove_prefix(1);
  const std::string_view mantissa = id.substr(0, e);
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  std::string digits(mantissa.substr(0, point));
  const std::string_view fraction = mantissa.substr(std::min(point + 1, mantissa.size()));
  if (!are_digits(digits) || !are_digits(exponent) || exponent.size() > 2) return "";
  if (!fraction.empty() && !are_digits(fraction)) return "";
  const auto power = static_cast<std::size_t>(std::stoi(std::string(exponent)));
  if (power < fraction.size() || power > kIdDigitsMax) return "";
  digits += fraction;
  return digits.append(power - fraction.size(), '0');
}

std::string count_of(std::uint64_t count, std::string_view unit) {
  return fmt::format("{} {}{}", count, unit, count == 1 ? "" : "s");
}

}  // namespace

std::string plain_id(std::string_view id) {
  std::string plain = without_exponent(id);
  if (plain.empty()) {
    for (const char c : id) {
      if (c != ',' && c != ' ' && c != '\'') plain += c;
    }
  }
  if (!are_digits(plain)) return std::string(id);
  return plain.substr(std::min(plain.find_first_not_of('0'), plain.size() - 1));
}

RepeatedHashes::RepeatedHashes() : slots_(kParts * kPartSlotsMin), waiting_(kParts * kWaitingMax) {}

void RepeatedHashes::finish() {
  for (std::size_t part = 0; part < kParts; ++part) look_up(part);
}

void RepeatedHashes::look_up(std::size_t part) {
  const std::size_t count = std::exchange(waiting_counts_[part], 0);
  // So that at most five eighths of its slots are used: more would have to be looked at one after
  // the other, fewer be more memory to touch.
  while (used_[part] + count > part_slots_ / 8 * 5 && part_slots_ < kPartSlotsMax) grow();
  const std::size_t mask = part_slots_ - 1;
  std::uint64_t* const slots = &slots_[part * part_slots_];
  for (std::size_t i = 0; i < count; ++i) {
    const Waiting& waiting = waiting_[part * kWaitingMax + i];
    std::size_t at = waiting.hash & mask;
    while (slots[at] != 0 && slots[at] != waiting.hash) at = (at + 1) & mask;
    if (slots[at] != 0) {
      if (count_++ == 0 || waiting.row < first_) first_ = waiting.row;
    } else if (used_[part] < kPartSlotsMax / 4 * 3) {
      slots[at] = waiting.hash;
      ++used_[part];
    } else {
      is_full_ = true;
    }
  }
}

void RepeatedHashes::grow() {
  constexpr std::size_t kGrowth = 2;
  const std::vector<std::uint64_t> before =
      std::exchange(slots_, std::vector<std::uint64_t>(slots_.size() * kGrowth));
  part_slots_ *= kGrowth;
  const std::size_t mask = part_slots_ - 1;
  for (const std::uint64_t hash : before) {
    if (hash == 0) continue;
    std::uint64_t* const slots = &slots_[(hash >> kPartShift) * part_slots_];
    std::size_t at = hash & mask;
    while (slots[at] != 0) at = (at + 1) & mask;
    slots[at] = hash;
  }
}

void InputReview::add(const RecordView& record, const DecodedEvent& event) {
  if (record.offset < next_offset_) return;
  next_offset_ = record.offset + 1;
  if (is_sheet_ && record.value) hashes_.add(record_hash(*record.value), next_offset_);
  if (const auto* rejection = std::get_if<Rejection>(&event)) return add_refusal(*rejection);
  if (const auto* line = std::get_if<LineEvent>(&event)) {
    add_time(line->invoice_time);
    add_customer(line->customer_id);
  } else if (const auto* invoice = std::get_if<InvoiceEvent>(&event)) {
    add_time(invoice->invoice_time);
    add_customer(invoice->customer_id);
  } else if (const auto* sale = std::get_if<AnonymousSale>(&event)) {
    add_time(sale->invoice_time);
  } else if (const auto* adjustment = std::get_if<Adjustment>(&event)) {
    add_time(adjustment->invoice_time);
  }
}

std::string InputReview::place() const { return fmt::format("{} {}", unit_, next_offset_); }

void InputReview::add_time(EventTime time) {
  if (time >= newest_) {
    newest_ = time;
    return;
  }
  if (back_in_time_++ == 0) {
    first_back_in_time_ =
        fmt::format("{}, {} after {}", place(), to_rfc3339(time), to_rfc3339(newest_));
  }
}

void InputReview::add_customer(std::string_view id) {
  if (!is_sheet_) return;
  if (id == last_customer_) return last_is_nobody_ ? count_nobody() : void();
  last_customer_.assign(id);
  last_is_nobody_ = means_nobody(id);
  if (last_is_nobody_) count_nobody();
  if (seen_.size() == kCustomersMax || !seen_.insert(customer_hash(id)).second) return;
  std::string plain = plain_id(id);
  auto found = customers_.find(plain);
  if (found == customers_.end()) {
    customers_.emplace(std::move(plain), last_customer_);
    return;
  }
  if (found->second == id || other_forms_.size() >= kOtherFormsMax) return;
  if (!other_forms_.insert(last_customer_).second) return;
  if (form_examples_.size() < kExamplesMax)
    form_examples_.push_back(fmt::format("{} beside {}", shown(id), shown(found->second)));
}

void InputReview::count_nobody() { ++nobodies_[last_customer_]; }

void InputReview::add_refusal(const Rejection& rejection) {
  ++refused_;
  Refusal& refusal = refusals_[static_cast<std::size_t>(rejection.reason)];
  ++refusal.count;
  std::string example = fmt::format("{}: {}", place(), rejection.message);
  if (rejection.lacks_date_order && misread_.empty()) {
    misread_ =
        example + (newest_ == kBeforeAll
                       ? ""
                       : ". Dates before it were read month first: begin anew with the order");
  }
  if (refusal.examples.size() < kExamplesMax) refusal.examples.push_back(std::move(example));
}

absl::Status InputReview::status() const {
  if (misread_.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(misread_);
}

std::vector<std::string> InputReview::findings() {
  hashes_.finish();
  std::vector<std::string> findings;
  if (back_in_time_ > 0) {
    findings.push_back(fmt::format(
        "{} back in time, first {}: sort the file by time, or what comes late is counted late",
        count_of(back_in_time_, unit_) + (back_in_time_ == 1 ? " goes" : " go"),
        first_back_in_time_));
  }
  if (const std::uint64_t duplicates = hashes_.count(); duplicates > 0) {
    findings.push_back(fmt::format(
        "{}{} byte for byte as one before, first {} {}: none was left out; if two exports overlap, "
        "take the overlap out",
        hashes_.is_full() ? "at least " : "",
        count_of(duplicates, unit_) + (duplicates == 1 ? " is" : " are"), unit_, hashes_.first()));
  }
  if (!other_forms_.empty()) {
    findings.push_back(
        fmt::format("{}{} from another only in form and {} for another customer: {}{}",
                    other_forms_.size() < kOtherFormsMax ? "" : "at least ",
                    count_of(other_forms_.size(), "customer id") +
                        (other_forms_.size() == 1 ? " differs" : " differ"),
                    other_forms_.size() == 1 ? "stands" : "stand", fmt::join(form_examples_, ", "),
                    other_forms_.size() > form_examples_.size() ? ", ..." : ""));
  }
  for (const auto& [id, rows] : nobodies_) {
    findings.push_back(fmt::format(
        "{} of a customer {}: if that is nobody, begin anew with --set input.anonymous={}",
        count_of(rows, unit_) + (rows == 1 ? " is" : " are"), shown(id), id));
  }
  return findings;
}

std::vector<std::string> InputReview::refusals() const {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < refusals_.size(); ++i) {
    const Refusal& refusal = refusals_[i];
    if (refusal.count == 0) continue;
    lines.push_back(fmt::format(
        "{} {}: {}{}", refusal.count, name(static_cast<DeadLetterReason>(i)),
        fmt::join(refusal.examples, "; "), refusal.count > refusal.examples.size() ? "; ..." : ""));
  }
  return lines;
}

}  // namespace rfm
