// Goal: whatever bytes come, a record has exactly one outcome and nothing is read outside of it.
// Method: 150,000 seeded mutations of valid records, under the sanitizers; another JSON reader says
// what is JSON.
#include <gtest/gtest.h>
#include <rapidjson/encodedstream.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <array>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "stream/decode/decoder.h"
#include "stream/decode/field_values.h"
#include "stream/text/time_text.h"
#include "stream/text/utf8.h"
#include "tests/fake/record_mutator.h"
#include "tests/stream/decode/decoding.h"

namespace rfm {
namespace {

constexpr int kRecordsPerFormat = 50'000;

// The record's bytes in memory of exactly their size, so that the sanitizer sees a read beyond
// them.
class ExactBytes {
 public:
  explicit ExactBytes(const std::optional<std::string>& bytes) {
    if (!bytes) return;
    size_ = bytes->size();
    bytes_ = std::make_unique<char[]>(size_);
    bytes->copy(bytes_.get(), size_);
  }
  std::optional<std::string_view> view() const {
    return bytes_ ? std::optional(std::string_view(bytes_.get(), size_)) : std::nullopt;
  }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
};

std::string outcome(const DecodedEvent& event) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "invoice", "line", "tombstone", "anonymous sale", "adjustment", "ignored", "rejected: "};
  static_assert(kNames.size() == std::variant_size_v<DecodedEvent>);
  std::string text(kNames[event.index()]);
  if (const auto* rejection = std::get_if<Rejection>(&event)) text += name(rejection->reason);
  return text;
}

void expect_id(std::string_view id) {
  EXPECT_FALSE(id.empty());
  EXPECT_LE(id.size(), kIdBytesMax);
  EXPECT_EQ(id.find('\0'), std::string_view::npos);
  EXPECT_TRUE(is_utf8(id));
}

template <typename Event>
void expect_sound(const Event& event, const RecordView& record) {
  expect_id(event.customer_id);
  expect_id(event.invoice_no);
  EXPECT_EQ(record.key, event.customer_id);
  EXPECT_GE(event.invoice_time, kEarliestEventTime);
  EXPECT_LT(event.invoice_time, kLatestEventTime);
  EXPECT_TRUE(is_utf8(event.country));
  EXPECT_GE(event.amount.units, -std::numeric_limits<std::int64_t>::max());
}

void expect_sound(const DecodedEvent& event, const RecordView& record) {
  if (const auto* line = std::get_if<LineEvent>(&event)) expect_sound(*line, record);
  if (const auto* invoice = std::get_if<InvoiceEvent>(&event)) {
    expect_sound(*invoice, record);
    EXPECT_GE(invoice->revision, 0);
    EXPECT_TRUE(invoice->type == InvoiceType::kCredit || invoice->amount >= Money{});
  }
  if (const auto* tombstone = std::get_if<Tombstone>(&event)) {
    expect_id(tombstone->customer_id);
    EXPECT_EQ(record.key, tombstone->customer_id);
    EXPECT_FALSE(record.value);
  }
  if (const auto* rejection = std::get_if<Rejection>(&event)) {
    EXPECT_FALSE(rejection->message.empty());
    EXPECT_LT(rejection->message.size(), 400U);
    EXPECT_TRUE(is_utf8(rejection->message)) << rejection->message;
  }
}

// What another reader says; absent where it gives up for a reason of its own: numbers that a double
// does not hold.
std::optional<bool> is_json(std::string_view text) {
  constexpr unsigned kFlags = rapidjson::kParseValidateEncodingFlag |
                              rapidjson::kParseNumbersAsStringsFlag |
                              rapidjson::kParseIterativeFlag;
  rapidjson::MemoryStream bytes(text.data(), text.size());
  rapidjson::EncodedInputStream<rapidjson::UTF8<>, rapidjson::MemoryStream> stream(bytes);
  rapidjson::BaseReaderHandler<> ignore;
  const rapidjson::ParseResult result = rapidjson::Reader().Parse<kFlags>(stream, ignore);
  if (result.Code() == rapidjson::kParseErrorNumberTooBig) return std::nullopt;
  return !result.IsError();
}

// Whether a record is refused as malformed exactly if it is not JSON; rules beyond JSON's aside.
void expect_agreement(const DecodedEvent& event, std::string_view text) {
  if (text.size() >= 3 && text.substr(0, 3) == "\xef\xbb\xbf")
    return;  // The other reader skips it.
  const auto* rejection = std::get_if<Rejection>(&event);
  const bool is_malformed =
      rejection != nullptr && rejection->reason == DeadLetterReason::kMalformed;
  const bool has_half_pair =
      text.find("\\ud") != std::string_view::npos || text.find("\\uD") != std::string_view::npos;
  const std::optional<bool> is_accepted_elsewhere = is_json(text);
  if (!is_accepted_elsewhere) return;
  if (*is_accepted_elsewhere) {
    if (!is_malformed) return;
    for (const std::string_view rule : {"appears twice", "not a JSON object", "nested too deeply",
                                        "is not an object", "surrogate"}) {
      if (rejection->message.find(rule) != std::string::npos) return;
    }
    ADD_FAILURE() << "is JSON: " << text << "\n" << rejection->message;
  } else if (!is_malformed &&
             !has_half_pair) {  // The other reader refuses half pairs also where nobody reads them.
    ADD_FAILURE() << "is not JSON: " << text << "\n" << outcome(event);
  }
}

void fuzz(InputFormat format, std::uint64_t seed) {
  SCOPED_TRACE("seed=" + std::to_string(seed));
  RecordMutator mutator(format, seed);
  const DecoderOptions options{.format = format, .record_bytes_max = 8'000};
  Decoder decoder(options);
  std::map<std::string, int> outcomes;
  int decoded_count = 0;
  for (int i = 0; i < kRecordsPerFormat && !testing::Test::HasFailure(); ++i) {
    const OwnedRecord owned = mutator.next();
    const ExactBytes key(owned.key);
    const ExactBytes value(owned.value);
    RecordView record;
    record.key = key.view();
    record.value = value.view();
    const DecodedEvent event = decoder.decode(record);
    expect_sound(event, record);
    ++outcomes[outcome(event)];
    const auto* rejection = std::get_if<Rejection>(&event);
    if (rejection == nullptr) ++decoded_count;
    const bool is_oversized =
        rejection != nullptr && rejection->reason == DeadLetterReason::kOversized;
    if (record.value && format != InputFormat::kCsv && !is_oversized)
      expect_agreement(event, *record.value);
    // What a decoder has seen before does not matter.
    if (i % 5 == 0) {
      Decoder fresh(options);
      EXPECT_EQ(content(fresh.decode(record)), content(event)) << record.value.value_or("");
    }
  }
  for (const auto& [what, count] : outcomes) std::printf("%8d  %s\n", count, what.c_str());
  EXPECT_GE(decoded_count, kRecordsPerFormat / 5);
  EXPECT_LE(decoded_count, kRecordsPerFormat * 4 / 5);
}

TEST(DecoderFuzz, LinesHaveOneOutcome) { fuzz(InputFormat::kLines, 1); }
TEST(DecoderFuzz, InvoicesHaveOneOutcome) { fuzz(InputFormat::kInvoices, 2); }
TEST(DecoderFuzz, CsvRowsHaveOneOutcome) { fuzz(InputFormat::kCsv, 3); }

}  // namespace
}  // namespace rfm
