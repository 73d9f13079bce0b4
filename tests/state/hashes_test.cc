// Goal: hashes that are stored or published never change, and kinds do not mix.
#include "state/hashes.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/golden/golden_file.h"

namespace rfm {
namespace {

TEST(Hashes, AreAsPublished) {
  std::string text;
  for (const std::string& id :
       {std::string("17850"), std::string("\xc3\xa9"), std::string(200, 'x')}) {
    text +=
        fmt::format("customer {:016x} invoice {:016x} event {:016x} country {:03x} holdout {}\n",
                    customer_hash(id), invoice_hash(id), event_id_hash(id), country_bits(id),
                    holdout_position(id));
  }
  text += fmt::format("birth {:016x}\n", birth_hash(1, from_ms(1'322'000'000'000)));
  text += fmt::format("transition {}\n", transition_id("17850", R"({"seq":3})"));
  expect_golden("hashes.txt", text);
}

TEST(Hashes, KindsAndFieldsDoNotMix) {
  EXPECT_NE(customer_hash("1"), invoice_hash("1"));
  EXPECT_NE(invoice_hash("1"), event_id_hash("1"));
  EXPECT_NE(birth_hash(1, from_ms(2)), birth_hash(2, from_ms(1)));
  const std::set<std::string> ids = {transition_id("1", "23"), transition_id("12", "3"),
                                     transition_id("", "123"), transition_id("1", "24"),
                                     transition_id("2", "23")};
  EXPECT_EQ(ids.size(), 5U);
  EXPECT_EQ(ids.begin()->size(), 22U);
}

TEST(Hashes, NoCountryRanksBelowAny) {
  EXPECT_EQ(country_bits(""), 0);
  for (int i = 0; i < 20'000; ++i) ASSERT_GT(country_bits(std::to_string(i)), 0) << i;
}

TEST(Hashes, TheHoldoutPositionIsAShare) {
  int below = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double position = holdout_position(std::to_string(i));
    ASSERT_GE(position, 0);
    ASSERT_LT(position, 1);
    below += position < .1 ? 1 : 0;
  }
  EXPECT_NEAR(below, 1'000, 120);
}

}  // namespace
}  // namespace rfm
