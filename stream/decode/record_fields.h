// The fields of one record as text, before anything is said about what they mean: what JSON and CSV
// have in common.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

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
  kCreditNo,
  kNetTotal,
  kRefunded,
  kStockCode,
  kDescription,
};
inline constexpr std::size_t kFieldCount = 19;

// A place for a text: a field's own (its number), or a further one of a mapping.
using Slot = std::uint8_t;
constexpr Slot slot_of(Field field) { return static_cast<Slot>(field); }

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
  std::string_view text;  // A string's content, unescaped; a word or number as it is written.
  FieldForm form = FieldForm::kAbsent;

  // Neither null nor an empty text.
  bool holds_something() const {
    return form > FieldForm::kNull && (form != FieldForm::kString || !text.empty());
  }
};

class RecordFields {
 public:
  explicit RecordFields(std::size_t slot_count = kFieldCount) : slots_(slot_count) {}

  FieldText& operator[](Field field) { return slots_[slot_of(field)]; }
  const FieldText& operator[](Field field) const { return slots_[slot_of(field)]; }
  FieldText& at(Slot slot) { return slots_[slot]; }
  const FieldText& at(Slot slot) const { return slots_[slot]; }
  void clear() { std::fill(slots_.begin(), slots_.end(), FieldText{}); }

 private:
  std::vector<FieldText> slots_;
};

}  // namespace rfm
