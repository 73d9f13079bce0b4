#include "stream/decode/record_type.h"

#include <algorithm>

namespace rfm {
namespace {

bool fits(const TypeRule& rule, const FieldText& field) {
  const bool is_there = field.form > FieldForm::kNull;
  const auto is_one_of = [&] {
    return is_there && std::ranges::find(rule.values, field.text) != rule.values.end();
  };
  switch (rule.test) {
    case TypeRule::Test::kAlways:
      return true;
    case TypeRule::Test::kHolds:
      return field.holds_something() && field.form != FieldForm::kFalse;
    case TypeRule::Test::kHoldsNot:
      return !field.holds_something() || field.form == FieldForm::kFalse;
    case TypeRule::Test::kEquals:
      return is_one_of();
    case TypeRule::Test::kDiffers:
      return !is_one_of();
  }
  return false;
}

}  // namespace

std::optional<RecordType> type_of(std::span<const PlacedTypeRule> rules,
                                  const RecordFields& fields) {
  for (const PlacedTypeRule& placed : rules) {
    if (fits(placed.rule, fields.at(placed.slot))) return placed.rule.type;
  }
  return std::nullopt;
}

}  // namespace rfm
