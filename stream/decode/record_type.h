// What a record is by the rules of `input.types`.
#pragma once

#include <optional>
#include <span>

#include "stream/decode/field_tree.h"
#include "stream/decode/mapping.h"
#include "stream/decode/record_fields.h"

namespace rfm {

// Of the first rule that fits; absent: none does.
std::optional<RecordType> type_of(std::span<const PlacedTypeRule> rules,
                                  const RecordFields& fields);

}  // namespace rfm
