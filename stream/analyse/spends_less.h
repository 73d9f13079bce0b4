// Who buys often and spends less each time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "stream/analyse/customer_figures.h"

namespace rfm {

// A customer with at least `orders_min` purchases, whose newer half of purchases (with the middle
// one, where their number is odd) is worth less each than the older half. Purchases that the ledger
// has folded are in neither.
struct SpendsLess {
  std::string customer_id;
  std::int64_t frequency = 0;  // Purchases in both halves.
  std::int64_t newer = 0;      // Those in the newer one.
  Money value_before;          // Of the older half, credits that name an invoice taken off.
  Money value;                 // Of the newer half.

  double order_value_before() const;
  double order_value() const;
  // What the newer purchases would have brought more at the value of the older ones; in 10^-4,
  // rounded down.
  Money missing() const;

  friend bool operator==(const SpendsLess&, const SpendsLess&) = default;
};

class SpendsLessList {
 public:
  struct Options {
    std::int64_t orders_min = 6;
    std::size_t listed_max = 1'000;
  };
  explicit SpendsLessList(const Options& options) : options_(options) {}

  void add(const CustomerFigures& figures);
  void merge(const SpendsLessList& other);

  std::int64_t customers() const { return customers_; }  // All of them, listed or not.
  Money missing() const { return missing_; }             // Of all.
  std::vector<SpendsLess> sorted() const;                // Most missing first; equal ones by id.

 private:
  void put(SpendsLess customer);

  Options options_;
  std::int64_t customers_ = 0;
  Money missing_;
  std::vector<SpendsLess> heap_;  // The least on top.
};

}  // namespace rfm
