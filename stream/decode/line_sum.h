// The amount of an invoice that comes with its lines.
#pragma once

#include <fmt/core.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "state/money.h"
#include "stream/decode/event.h"
#include "stream/decode/field_values.h"
#include "stream/text/decimal.h"

namespace rfm {

// What the elements of `lines` sell and add up to. Exact whatever the order of its terms.
class LineSum {
 public:
  // `sold` outlives it, and is emptied.
  explicit LineSum(std::vector<SoldLine>& sold) : sold_(sold) { sold_.clear(); }

  void add(FieldValues& values) {
    ++count_;
    if (rejection_) return;
    const Decimal quantity = values.required_decimal(Field::kQuantity);
    const Decimal unit_price = values.required_decimal(Field::kUnitPrice);
    const std::optional<Money> amount = multiply(quantity, unit_price);
    if (!amount)
      values.reject(DeadLetterReason::kAmountOverflow, Field::kUnitPrice,
                    "times quantity is too large");
    if (values.rejection()) {
      rejection_ = values.rejection();
      rejection_->message = fmt::format("lines[{}]: {}", count_ - 1, rejection_->message);
      return;
    }
    sum_ += amount->units;
    sold_.push_back({.product = values.product(),
                     .description = values.description(),
                     .units = to_money(quantity).value_or(Money{}).units,
                     .amount = *amount});
  }

  std::size_t count() const { return count_; }
  const std::optional<Rejection>& rejection() const { return rejection_; }
  // None of them where one is not one.
  std::span<const SoldLine> sold() const {
    return rejection_ ? std::span<const SoldLine>() : std::span<const SoldLine>(sold_);
  }
  std::optional<Money> total() const {
    constexpr Wide kLimit = std::numeric_limits<std::int64_t>::max();
    if (sum_ > kLimit || sum_ < -kLimit) return std::nullopt;
    return Money{static_cast<std::int64_t>(sum_)};
  }

 private:
  __extension__ using Wide = __int128;

  std::vector<SoldLine>& sold_;
  Wide sum_ = 0;
  std::size_t count_ = 0;
  std::optional<Rejection> rejection_;  // Of the first line that has one.
};

}  // namespace rfm
