// What all answers on customers have in common.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "admin/population_pass.h"
#include "model/segmentation_spec.h"
#include "state/money.h"
#include "stream/text/json_text.h"

namespace rfm {

// What an answer is of.
struct AnswerScope {
  EventTime as_of = kBeforeAll;
  int partitions_held = 0;
  int partitions_total = 0;
  std::string_view currency;
};

// The members as_of, partitions, currency, monetary, model_version and rules_version.
void write_scope(JsonText& out, const AnswerScope& scope, const Rules& rules,
                 const ModelVersion* version);

// A number with four decimals, exactly; as a member with `key`.
void write_money(JsonText& out, Money money);
void write_money(JsonText& out, std::string_view key, Money money);
// A value of an axis: days, a count, money, a ratio or a probability.
void write_quantity(JsonText& out, Quantity quantity, std::int64_t value);
std::string_view unit_of(Quantity quantity);  // "days", ...

}  // namespace rfm
