// The fields of one record as text, before anything is said about what they mean: what JSON and CSV
// have in common.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rfm {

enum class Field : std::uint8_t {
  kEventId,
  kType,
  kInvoiceNo,
  kOriginalInvoiceNo,
  kCustomerId,
  kInvoiceTime,
  kCurrency,
  kCountry,
  kTotal,
  kLines,
  kQuantity,
  kUnitPrice,
  kRevision,
  kConsent,
  kStockCode,    // CSV only: what JSON has of it nobody reads.
  kDescription,  // The same.
};
inline constexpr std::size_t kFieldCount = 16;

enum class FieldForm : std::uint8_t {
  kAbsent,
  kNull,
  kString,
  kNumber,
  kTrue,
  kFalse,
  kObject,
  kArray
};

struct FieldText {
  std::string_view text;  // A string's content, unescaped; else as it is written.
  FieldForm form = FieldForm::kAbsent;
};

class RecordFields {
 public:
  FieldText& operator[](Field field) { return fields_[static_cast<std::size_t>(field)]; }
  const FieldText& operator[](Field field) const {
    return fields_[static_cast<std::size_t>(field)];
  }
  void clear() { fields_ = {}; }

 private:
  std::array<FieldText, kFieldCount> fields_;
};

}  // namespace rfm
