#include "admin/answer_text.h"

#include "model/axis_value.h"
#include "model/day.h"
#include "stream/text/decimal.h"
#include "stream/text/time_text.h"

namespace rfm {
namespace {

constexpr int kDigits = 6;
constexpr double kOverdueUnits = 1e3;

}  // namespace

void write_scope(JsonText& out, const AnswerScope& scope, const Rules& rules,
                 const ModelVersion* version) {
  if (scope.as_of == kBeforeAll) {
    out.key("as_of").raw("null");
  } else {
    out.key("as_of").text(to_rfc3339(scope.as_of));
  }
  out.key("partitions").begin_object();
  out.key("held").integer(scope.partitions_held);
  out.key("total").integer(scope.partitions_total);
  out.end_object();
  out.key("currency").text(scope.currency);
  out.key("monetary").text(rules.monetary == MonetaryKind::kNet ? "net" : "gross");
  out.key("model_version").integer(version == nullptr ? 0 : version->number);
  out.key("rules_version").integer(rules.version);
}

void write_money(JsonText& out, Money money) { out.raw(to_text(money)); }

void write_money(JsonText& out, std::string_view key, Money money) {
  out.key(key);
  write_money(out, money);
}

void write_quantity(JsonText& out, Quantity quantity, std::int64_t value) {
  switch (quantity) {
    case Quantity::kRecency:
      return out.fixed(static_cast<double>(value) / kDayMs, kDigits);
    case Quantity::kFrequency:
      return out.integer(value);
    case Quantity::kMonetary:
    case Quantity::kOrderValue:
    case Quantity::kValue:
      return write_money(out, {value});
    case Quantity::kOverdue:
      return out.fixed(static_cast<double>(value) / kOverdueUnits, kDigits);
    case Quantity::kRisk:
      return out.fixed(static_cast<double>(value) / kRiskUnits, kDigits);
  }
}

std::string_view unit_of(Quantity quantity) {
  switch (quantity) {
    case Quantity::kRecency:
      return "days";
    case Quantity::kFrequency:
      return "orders";
    case Quantity::kMonetary:
    case Quantity::kOrderValue:
    case Quantity::kValue:
      return "money";
    case Quantity::kOverdue:
      return "usual gaps";
    case Quantity::kRisk:
      return "probability";
  }
  return "";
}

}  // namespace rfm
