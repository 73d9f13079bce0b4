// Goal: a customer whose records are in two partitions is noticed, over lanes, rebalances and
// erasures.
#include "stream/pipeline/customer_places.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "state/hashes.h"

namespace rfm {
namespace {

CustomerRow row_of(std::string_view id) {
  CustomerRow row;
  row.id = std::string(id);
  row.id_hash = customer_hash(id);
  return row;
}

TEST(CustomerPlaces, ACustomerOfTwoPartitionsIsCountedOnceAndNamed) {
  CustomerPlaces places;
  places.add(row_of("a"), 0);
  places.add(row_of("b"), 1);
  places.add(row_of("a"), 0);
  EXPECT_EQ(places.split().count, 0U);
  places.add(row_of("b"), 0);
  places.add(row_of("b"), 2);
  EXPECT_EQ(places.split().count, 1U);
  EXPECT_EQ(places.split().example, "customer \"b\" is in the partitions 0 and 1");
}

TEST(CustomerPlaces, WhoIsErasedMayComeBackElsewhere) {
  CustomerPlaces places;
  places.add(row_of("a"), 0);
  places.erase(row_of("a").id_hash, 0);
  places.add(row_of("a"), 1);
  EXPECT_EQ(places.split().count, 0U);
}

TEST(CustomerPlaces, APartitionThatIsGivenAwayTakesItsCustomersAlong) {
  CustomerPlaces places;
  places.add(row_of("a"), 0);
  places.add(row_of("b"), 1);
  places.drop(0);
  places.add(row_of("a"), 1);
  EXPECT_EQ(places.split().count, 0U);
  places.add(row_of("b"), 0);
  EXPECT_EQ(places.split().count, 1U);
}

}  // namespace
}  // namespace rfm
