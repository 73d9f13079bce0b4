// Goal: contributions come back bit for bit, in any order of their chunks, or not at all.
#include "stream/format/contribution_codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace rfm {
namespace {

Contribution random_contribution(std::mt19937_64& random, std::size_t sample_size) {
  Contribution contribution;
  contribution.epoch = 15'000 + static_cast<std::int64_t>(random() % 1'000);
  contribution.population = static_cast<std::int64_t>(random() >> 30);
  for (std::uint64_t c = random() % 6; c > 0; --c) {
    ClusterSums& sums = contribution.clusters.emplace_back();
    sums.n = static_cast<std::int64_t>(random() >> 40);
    sums.sum_f = static_cast<std::int64_t>(random());
    sums.sum_m = static_cast<std::int64_t>(random());
    sums.square_f = static_cast<std::int64_t>(random() >> 1);
    sums.square_m = static_cast<std::int64_t>(random() >> 1);
    for (std::uint64_t d = random() % 50; d > 0; --d)
      sums.last_purchase_days[static_cast<std::int32_t>(random() % 20'000)] =
          1 + static_cast<std::int64_t>(random() % 1'000);
  }
  contribution.has_sample = sample_size > 0;
  for (std::size_t i = 0; i < sample_size; ++i) {
    contribution.sample.push_back({.id_hash = random(),
                                   .first_purchase_ms = static_cast<std::int64_t>(random() >> 22),
                                   .last_purchase_ms = static_cast<std::int64_t>(random() >> 22),
                                   .monetary = static_cast<std::int64_t>(random()),
                                   .frequency = static_cast<std::uint32_t>(random())});
  }
  return contribution;
}

TEST(ContributionCodec, ChunksComeBackTogetherInAnyOrder) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE("seed=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    const std::size_t sample_size = seed % 10 == 0 ? 30'000 : random() % 100;
    const Contribution contribution = random_contribution(random, sample_size);
    std::vector<ContributionChunk> chunks = encode_contribution(3, contribution);
    EXPECT_EQ(chunks.size() > 1, seed % 10 == 0);
    for (const ContributionChunk& chunk : chunks)
      EXPECT_LE(chunk.value.size(), kContributionChunkBytes + 64);
    std::shuffle(chunks.begin(), chunks.end(), random);
    ContributionAssembler assembler(4);
    for (const ContributionChunk& chunk : chunks)
      ASSERT_TRUE(assembler.add(chunk.key, chunk.value).ok());
    const auto found = assembler.take();
    ASSERT_TRUE(found.ok()) << found.status();
    ASSERT_EQ(found->size(), 1U);
    EXPECT_EQ(found->at({contribution.epoch, 3}), contribution);
  }
}

TEST(ContributionCodec, ALaterEpochTakesTheSamePlaceAndAnIncompleteOneIsRefused) {
  std::mt19937_64 random(1);
  Contribution older = random_contribution(random, 40'000);
  Contribution newer = random_contribution(random, 40'000);
  newer.epoch = older.epoch + kContributionEpochsKept;
  const std::vector<ContributionChunk> old_chunks = encode_contribution(0, older);
  const std::vector<ContributionChunk> new_chunks = encode_contribution(0, newer);
  ASSERT_EQ(old_chunks[0].key, new_chunks[0].key);
  ContributionAssembler assembler(1);
  ASSERT_TRUE(assembler.add(new_chunks[0].key, new_chunks[0].value).ok());
  ASSERT_TRUE(assembler.add(old_chunks[1].key, old_chunks[1].value).ok());
  const absl::Status incomplete = assembler.take().status();
  EXPECT_EQ(incomplete.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(incomplete.message().find("partition 0"), std::string::npos) << incomplete;
  EXPECT_NE(incomplete.message().find("only 1 of its"), std::string::npos) << incomplete;
  for (const ContributionChunk& chunk : new_chunks)
    ASSERT_TRUE(assembler.add(chunk.key, chunk.value).ok());
  ASSERT_TRUE(assembler.add(old_chunks[1].key, old_chunks[1].value).ok());
  const auto whole = assembler.take();
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(whole->at({newer.epoch, 0}), newer);
  EXPECT_EQ(ContributionAssembler(0).add(new_chunks[0].key, new_chunks[0].value).code(),
            absl::StatusCode::kDataLoss);
}

TEST(ContributionCodec, DamageIsSaid) {
  std::mt19937_64 random(2);
  const ContributionChunk chunk = encode_contribution(0, random_contribution(random, 20))[0];
  for (std::size_t size = 0; size < chunk.value.size(); ++size) {
    ContributionAssembler assembler(1);
    const std::string cut(chunk.value, 0, size);
    EXPECT_EQ(assembler.add(chunk.key, cut).code(), absl::StatusCode::kDataLoss) << size;
  }
  int refused = 0;
  for (int i = 0; i < 5'000; ++i) {
    std::string spoiled = chunk.value;
    spoiled[random() % spoiled.size()] = static_cast<char>(random());
    ContributionAssembler assembler(1);
    const bool is_said = !assembler.add(chunk.key, spoiled).ok() || !assembler.take().ok();
    refused += is_said ? 1 : 0;
  }
  EXPECT_GT(refused, 100) << "most of the bytes are numbers, of which any will do";
}

}  // namespace
}  // namespace rfm
