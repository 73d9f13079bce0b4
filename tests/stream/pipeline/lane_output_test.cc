// Goal: what a lane publishes is what the rules say, and nothing else depends on it.
#include "stream/pipeline/lane_output.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "tests/fake/generated_history.h"
#include "tests/fake/memory_pipeline.h"

namespace rfm {
namespace {

// The rows, the current segments and what is published are the same but for what is left out.
TEST(LaneOutput, PublishesWhatIsActionableOnlyWhereTheRulesSaySo) {
  HistoryOptions history;
  history.generator = {.customers = 100, .days = 200, .seed = 5, .tombstones = 3};
  history.text.format = InputFormat::kInvoices;
  const MemoryInput input = generated_history(history);
  const auto run = [&](Publish publish) {
    MemoryWorld world(input);
    PipelineOptions options;
    options.decoder.format = InputFormat::kInvoices;
    options.rules.publish = publish;
    MemoryPipeline pipeline(world, options);
    EXPECT_TRUE(pipeline.restore().ok());
    EXPECT_TRUE(pipeline.run_to_end(std::nullopt).ok());
    return output_of(world);
  };
  PipelineOutput all = run(Publish::kAll);
  PipelineOutput some = run(Publish::kActionable);
  std::size_t left_out = 0;
  for (auto& [customer, transitions] : all.transitions) {
    left_out += std::erase_if(transitions, [](const std::string& record) {
      return record.find("\"actionable\":false") != std::string::npos;
    });
  }
  std::erase_if(all.transitions, [](const auto& entry) { return entry.second.empty(); });
  EXPECT_GT(left_out, 100U);
  EXPECT_GT(some.transitions.size(), 50U);
  EXPECT_EQ(difference(all, some), "");
}

}  // namespace
}  // namespace rfm
