// A generated history as the records of an input log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stream/generate/generator.h"
#include "stream/record/record.h"

namespace rfm {

enum class CreditReference : std::uint8_t {
  kNamed,    // Credits of the invoice format name their invoice.
  kUnnamed,  // They do not, as in the line formats: for comparing the two.
};

struct RecordTextOptions {
  InputFormat format = InputFormat::kLines;
  std::string currency = "GBP";
  CreditReference credits = CreditReference::kNamed;
  double bad_share = 0;  // Records that must be dead-lettered, on top of the good ones.
};

struct GeneratedRecord {
  std::string_view key;
  std::optional<std::string_view> value;  // Absent: tombstone. Without line end.
  EventTime emitted_at{};
};

// Good records do not depend on how many bad ones are between them. Erasures are left out in kCsv,
// which has no way to say them.
class GeneratedRecords {
 public:
  GeneratedRecords(const GeneratorOptions& history, RecordTextOptions text);

  // Views live until the next call. Absent at the end.
  std::optional<GeneratedRecord> next();

  const Generator& generator() const { return generator_; }

 private:
  struct ProductText {
    std::string json;  // "StockCode":...,"Description":...
    std::string csv;   // StockCode,Description
    std::string price;
  };

  void begin_event();
  void write_line(const GeneratedLine& line);
  void write_csv(const GeneratedLine& line);
  void write_invoice();
  void write_bad();
  void write_bad_csv();
  GeneratedRecord record() const;

  Generator generator_;
  RecordTextOptions options_;
  SeededRandom random_;  // Where bad records are and what is wrong with them.
  std::vector<ProductText> products_;
  std::vector<std::string> countries_;  // As JSON.

  std::optional<GeneratedEvent> event_;
  std::size_t next_line_ = 0;
  std::string invoice_no_;
  std::string customer_id_;
  std::string time_;
  std::string head_;  // What all lines of the invoice begin and end with.
  std::string tail_;
  std::string value_;
};

}  // namespace rfm
