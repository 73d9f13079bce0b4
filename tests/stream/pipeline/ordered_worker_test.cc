// Goal: all work is done, in order, and what it wrote may be read after `finish`.
#include "stream/pipeline/ordered_worker.h"

#include <gtest/gtest.h>

#include <numeric>

namespace rfm {
namespace {

TEST(OrderedWorker, DoesEverythingInOrder) {
  std::vector<int> done;
  std::vector<int> expected;
  OrderedWorker<int> worker("test", [&](int& item) { done.push_back(item); });
  worker.finish();
  EXPECT_EQ(done, expected);
  for (const int count : {1, 255, 256, 257, 100'000}) {  // The last more than may wait.
    for (int i = 0; i < count; ++i) {
      worker.add(i);
      expected.push_back(i);
    }
    worker.finish();
    EXPECT_EQ(done, expected);
  }
}

TEST(OrderedWorker, FinishesWhenItEnds) {
  std::vector<int> done;
  {
    OrderedWorker<int> worker("test", [&](int& item) { done.push_back(item); });
    for (int i = 0; i < 1'000; ++i) worker.add(i);
  }
  std::vector<int> expected(1'000);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(done, expected);
}

}  // namespace
}  // namespace rfm
