#include "stream/generate/retail_catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "stream/generate/seeded_random.h"

namespace rfm {

namespace {

constexpr std::array<std::string_view, 20> kLooks = {
    "RED",     "BLUE",    "GREEN",  "CREAM", "PINK",   "VINTAGE", "RUSTIC",
    "STRIPED", "SPOTTED", "WOODEN", "METAL", "ENAMEL", "CERAMIC", "LINEN",
    "WICKER",  "GLASS",   "PAPER",  "RETRO", "FLORAL", "MINI"};
constexpr std::array<std::string_view, 30> kThings = {"LANTERN",
                                                      "TEA TOWEL",
                                                      "CAKE STAND",
                                                      "MUG",
                                                      "LUNCH BAG",
                                                      "CUSHION COVER",
                                                      "PHOTO FRAME",
                                                      "COAT HOOK",
                                                      "DOORMAT",
                                                      "WALL CLOCK",
                                                      "CANDLE HOLDER",
                                                      "STORAGE JAR",
                                                      "NOTEBOOK",
                                                      "APRON",
                                                      "BUNTING",
                                                      "TEAPOT",
                                                      "SUGAR BOWL",
                                                      "HOOK, 5 HANGERS",
                                                      "PLANT POT",
                                                      "JIGSAW",
                                                      "MONEY BOX",
                                                      "RECIPE BOX",
                                                      "PICNIC BLANKET",
                                                      "HOT WATER BOTTLE",
                                                      "DRAWER KNOB",
                                                      "WATERING CAN",
                                                      "BREAD BIN",
                                                      "6\" PLATE",
                                                      "COASTERS, SET OF 4",
                                                      "BIRD HOUSE"};
constexpr std::array<std::string_view, 3> kSizes = {"SMALL", "MEDIUM", "LARGE"};
constexpr std::array<std::string_view, 10> kChristmasThings = {
    "BAUBLE",    "STOCKING",           "WREATH",       "ADVENT CALENDAR", "TREE DECORATION",
    "GIFT WRAP", "CRACKERS, BOX OF 6", "FAIRY LIGHTS", "SNOW GLOBE",      "TABLE RUNNER"};
constexpr std::array<std::int64_t, 5> kEndings = {25, 45, 65, 85, 95};

std::string describe(std::uint32_t index) {
  // Neighbours sell alike (the lower, the better): spread the names over them.
  constexpr std::uint32_t kSpread = 1'009;  // Coprime to the number of regular products.
  if (index < RetailCatalogue::kRegular) index = index * kSpread % RetailCatalogue::kRegular;
  const std::string_view look = kLooks[index % kLooks.size()];
  const std::uint32_t rest = index / static_cast<std::uint32_t>(kLooks.size());
  if (index >= RetailCatalogue::kRegular) {
    return fmt::format("CHRISTMAS {} {}", look, kChristmasThings[rest % kChristmasThings.size()]);
  }
  const std::string_view thing = kThings[rest % kThings.size()];
  return fmt::format("{} {} {}", kSizes[rest / kThings.size() % kSizes.size()], look, thing);
}

struct CountryShare {
  std::string_view name;
  double share;
};
constexpr std::array<CountryShare, kCountries> kShares = {{{"United Kingdom", .880},
                                                           {"Germany", .022},
                                                           {"France", .020},
                                                           {"EIRE", .012},
                                                           {"Spain", .009},
                                                           {"Belgium", .008},
                                                           {"Switzerland", .007},
                                                           {"Portugal", .006},
                                                           {"Netherlands", .006},
                                                           {"Italy", .005},
                                                           {"Finland", .005},
                                                           {"Austria", .004},
                                                           {"Norway", .004},
                                                           {"Sweden", .004},
                                                           {"Australia", .004},
                                                           {"Japan", .004}}};

}  // namespace

RetailCatalogue::RetailCatalogue(std::uint64_t seed) {
  SeededRandom random(seed, /*stream=*/0);
  products_.reserve(kProducts);
  for (std::uint32_t i = 0; i < kProducts; ++i) {
    // Prices spread log-normally around 2.50, from 0.25 to 99.95.
    const double price = std::min(99.0, 2.2 * random.log_normal(.9));
    Product product;
    product.stock_code = fmt::format("{}{}", 20'000 + i * 7, i % 5 == 4 ? "A" : "");
    product.description = describe(i);
    product.price_pence =
        static_cast<std::int64_t>(price) * 100 + kEndings[random.below(kEndings.size())];
    products_.push_back(std::move(product));
  }
}

std::string_view country_name(std::uint8_t country) { return kShares[country].name; }

std::uint8_t country_at(double position) {
  for (std::uint8_t i = 0; i < kCountries; ++i) {
    position -= kShares[i].share;
    if (position < 0) return i;
  }
  return 0;  // The shares' rounding.
}

}  // namespace rfm
