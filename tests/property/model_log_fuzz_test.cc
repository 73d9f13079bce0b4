// Goal: whatever a model log holds, it is refused or can be followed.
// Method: the log of a generated history, one record of it changed at random, token by token; what
// is not refused drives the same history through the pipeline.
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fake/generated_history.h"
#include "tests/fake/memory_pipeline.h"
#include "tests/property/pipeline_runs.h"

namespace rfm {
namespace {

// Numbers, texts and words as one token each, every other character as one.
std::vector<std::string> tokens_of(std::string_view json) {
  constexpr std::string_view kAlone = "{}[],:";
  std::vector<std::string> tokens;
  for (std::size_t begin = 0; begin < json.size();) {
    std::size_t end = begin + 1;
    if (json[begin] == '"') {
      end = json.find('"', end) + 1;
    } else if (kAlone.find(json[begin]) == std::string_view::npos) {
      end = json.find_first_of(kAlone, begin);
    }
    tokens.emplace_back(json.substr(begin, end - begin));
    begin = end;
  }
  return tokens;
}

// One past the value (or the one token) that begins at `first`.
std::size_t end_of(const std::vector<std::string>& tokens, std::size_t first) {
  int depth = 0;
  for (std::size_t i = first; i < tokens.size(); ++i) {
    if (tokens[i] == "{" || tokens[i] == "[") ++depth;
    if (tokens[i] == "}" || tokens[i] == "]") --depth;
    if (depth <= 0) return i + 1;
  }
  return tokens.size();
}

std::string mutated(std::string_view json, std::mt19937_64& random) {
  constexpr std::array<std::string_view, 22> kValues = {
      "0",     "-1",    "1",  "63",   "64",   "200",   "1e300", "-1e300", "1e-300",
      "1e999", "null",  "{}", "[]",   "true", "false", "\"\"",  "0.5",    "9223372036854775807",
      "-0.0",  "\"a\"", "16", "84000"};
  std::vector<std::string> tokens = tokens_of(json);
  for (std::uint64_t changes = 1 + random() % 2; changes > 0; --changes) {
    const std::size_t i = random() % tokens.size();
    const auto first = tokens.begin() + static_cast<std::ptrdiff_t>(i);
    const auto last = tokens.begin() + static_cast<std::ptrdiff_t>(end_of(tokens, i));
    switch (random() % 6) {
      case 0:  // Another value.
      case 1:
        *tokens.erase(first, last - 1) = kValues[random() % kValues.size()];
        break;
      case 2:  // None, and none of what separates it.
        tokens.erase(first, last == tokens.end() ? last : last + 1);
        break;
      case 3: {  // The next one twice.
        const std::vector<std::string> copy(first, last);
        tokens.insert(last, ",");
        tokens.insert(tokens.begin() + static_cast<std::ptrdiff_t>(i), copy.begin(), copy.end());
        break;
      }
      case 4:  // A digit.
        for (char& c : *first) {
          if (c >= '0' && c <= '9' && random() % 2 == 0) c = static_cast<char>('0' + random() % 10);
        }
        break;
      default:  // A byte.
        first->at(random() % first->size()) = static_cast<char>(random());
    }
    if (tokens.empty()) break;
  }
  std::string text;
  for (const std::string& token : tokens) text += token;
  return text;
}

TEST(ModelLogFuzz, AChangedLogIsRefusedOrFollowed) {
  HistoryOptions history;
  history.generator = {.customers = 12, .days = 40, .seed = 5};
  history.text.format = InputFormat::kInvoices;
  const MemoryInput input = generated_history(history);
  PipelineOptions options;
  options.training = {.cluster_count = 3,
                      .cluster_history_ms = std::int64_t{5} * 86'400'000,
                      .population_on = 6,
                      .population_off = 4,
                      .churn_weeks = 4};
  options.decoder.format = InputFormat::kInvoices;
  const PipelineOutput whole = run_whole(input, options);
  const std::vector<ModelLogRecord> good = whole.model_log;
  ASSERT_GE(good.size(), 30U);
  ASSERT_TRUE(versions_of(whole).back().clusters && versions_of(whole).back().churn);
  int refused = 0;
  int followed = 0;
  for (std::uint64_t seed = 0; seed < 4'000; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    std::vector<ModelLogRecord> records = good;
    // Often the last one, which no other has to follow.
    ModelLogRecord& record =
        random() % 2 == 0 ? records.back() : records[random() % records.size()];
    record.value = mutated(record.value, random);
    const absl::StatusOr<ModelLog> log = decode_model_log(records);
    if (!log.ok()) {
      EXPECT_NE(log.status().message().find("record version/"), std::string::npos) << log.status();
      ++refused;
      continue;
    }
    options.recorded = log->versions;
    MemoryWorld world(input);
    MemoryPipeline pipeline(world, options);
    ASSERT_TRUE(pipeline.restore().ok());
    const absl::Status ran = pipeline.run_to_end(std::nullopt);
    EXPECT_TRUE(ran.ok()) << ran;
    ++followed;
  }
  EXPECT_GE(refused, 2'000);
  EXPECT_GE(followed, 100);
}

}  // namespace
}  // namespace rfm
