// What the synthetic shop sells, and where its customers live.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rfm {

struct Product {
  std::string stock_code;
  std::string description;  // Some hold a comma or a quote, as real ones do.
  std::int64_t price_pence = 0;
};

// Products 0 .. regular-1 sell all year, the rest before Christmas.
class RetailCatalogue {
 public:
  static constexpr std::uint32_t kProducts = 2'000;
  static constexpr std::uint32_t kRegular = 1'800;

  explicit RetailCatalogue(std::uint64_t seed);

  const Product& product(std::uint32_t index) const { return products_[index]; }

 private:
  std::vector<Product> products_;
};

inline constexpr int kCountries = 16;
std::string_view country_name(std::uint8_t country);
// The country of a customer at `position` in [0, 1): each country has its share of the interval.
std::uint8_t country_at(double position);

}  // namespace rfm
