// Goal: the timeline tells what holds in an epoch from the versions alone.
#include "state/model_timeline.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>

namespace rfm {
namespace {

// Trained at `epoch`, with clusters held by the refit at `held`.
void append(ModelTimeline& models, std::int64_t epoch, std::optional<std::int64_t> held) {
  ModelVersion version;
  version.number = version.trained_epoch = epoch;
  if (held) version.held = HeldClusters{.epoch = *held, .moved = .5, .clusters = {}};
  models.append(std::make_shared<const ModelVersion>(std::move(version)));
}

TEST(ModelTimeline, ClustersAreHeldSinceTheFirstOfRefitsInARow) {
  ModelTimeline models;
  models.start_at(10);
  append(models, 10, 10);
  append(models, 11, std::nullopt);
  append(models, 12, 12);
  append(models, 13, 12);
  append(models, 14, 14);  // The next refit held its own.
  append(models, 15, 14);
  append(models, 16, std::nullopt);
  EXPECT_EQ(models.held_since(10), std::nullopt);  // No version is in force yet.
  EXPECT_EQ(models.held_since(11), 10);
  EXPECT_EQ(models.held_since(12), std::nullopt);
  for (const std::int64_t epoch : {13, 14, 15, 16}) EXPECT_EQ(models.held_since(epoch), 12);
  EXPECT_EQ(models.held_since(17), std::nullopt);
}

}  // namespace
}  // namespace rfm
