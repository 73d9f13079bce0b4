// What a segmentation says, unchecked: data without behaviour.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rfm {

// What an axis measures, as a whole number of its unit.
enum class Quantity : std::uint8_t {
  kRecency,     // Silence since the last purchase, in ms. Less is better.
  kFrequency,   // Invoices.
  kMonetary,    // M, in 10^-4 of the currency unit.
  kOrderValue,  // M / F, in 10^-4 of the currency unit.
  kOverdue,  // Silence over the mean gap between purchases, in 10^-3; absent while F < 2. Less is
             // better.
  kRisk,     // Churn risk, in 10^-9. Less is better. Changes at events and epoch boundaries only.
  kValue,    // Expected value of the next 90 days, -ln(risk) M / F, in 10^-4 of the currency
             // unit. Changes at events and epoch boundaries only.
};
inline constexpr int kQuantityCount = 7;
std::string_view name(Quantity quantity);  // "recency", ...
bool is_less_better(Quantity quantity);

enum class CutMethod : std::uint8_t {
  kFixed,     // As set.
  kQuantile,  // floor(type-7 quantile) of the population at i / bins.
  kBreaks,    // Optimal 1-D K-Means of the population (natural_breaks.h).
};

std::string_view name(CutMethod method);  // "fixed", ...

// Where a trained cut may lie.
struct CutBounds {
  std::int64_t low = 0;
  std::int64_t high = 0;

  friend bool operator==(const CutBounds&, const CutBounds&) = default;
};

inline constexpr int kBinsMin = 2;
inline constexpr int kBinsMax = 10;

// What the trainer computes for an axis. Equal specs share their cuts.
struct CutSpec {
  Quantity quantity = Quantity::kRecency;
  CutMethod method = CutMethod::kQuantile;
  int bins = 5;
  // Of each cut, ascending; empty: anywhere.
  std::vector<CutBounds> bounds;
  // kFixed: the bins - 1 cuts. Otherwise those in force while there are too few customers, which
  // Segmentation::create puts within the bounds; empty: the segment is `Unassigned` until there are
  // enough.
  std::vector<std::int64_t> fixed;

  friend bool operator==(const CutSpec&, const CutSpec&) = default;
};

// One axis of a grid. Score = 1 + the cuts strictly below the value; where less is better, bins -
// the cuts strictly below it, so that a high score is always good. Risk alone reaches its cut when
// it is equal to it. 0: absent.
struct Axis {
  std::string name;  // As maps call it: "r", "f", "m", "risk", ...
  CutSpec cuts;
  // A score that another population, another model or (risk, value) time calls for is taken once
  // the value is past the cut by this share of it; of a risk: by this much. What the customer does
  // counts at once, and so does silence that passes a cut where it is.
  double margin = 0;

  friend bool operator==(const Axis&, const Axis&) = default;
};

// When an action applies.
enum class MoveKind : std::uint8_t { kUpOrFirst, kDown, kAny };

// What marketing is advised to do, in the imperative.
struct SegmentAction {
  std::string text;
  MoveKind on = MoveKind::kAny;
  // Only while the customer is in one of these segments of that segmentation; empty: always.
  std::string where_segmentation;
  std::vector<std::string> where_segments;
  std::int64_t cooldown_ms = 0;  // Not again to the same customer before; 0: off.

  friend bool operator==(const SegmentAction&, const SegmentAction&) = default;
};

struct SegmentInfo {
  std::string name;
  int rank = 0;  // Higher is better for the business; decides whether a transition goes up or down.
  std::string description;
  std::vector<SegmentAction> actions;  // The first that applies holds; none: not actionable.
  bool lost = false;                   // A fall into it by silence is never put off.

  friend bool operator==(const SegmentInfo&, const SegmentInfo&) = default;
};

// Segments outside every map.
inline constexpr std::string_view kNoSegment = "none";                // No purchase counts.
inline constexpr std::string_view kUnassignedSegment = "Unassigned";  // No model yet.
const SegmentInfo& no_segment();
const SegmentInfo& unassigned_segment();

// Scores low to high of one coordinate of a map.
struct ScoreRange {
  std::string coordinate;  // An axis, "fm" (f and m together, (f + m + 1) / 2) or "overall" (the
                           // sum of all axes' scores, each counted from 0).
  int low = 1;
  int high = 1;

  friend bool operator==(const ScoreRange&, const ScoreRange&) = default;
};

// One block of cells. A segment may have several; a coordinate that is not named may be anything.
struct MapRule {
  std::string segment;
  std::vector<ScoreRange> ranges;

  friend bool operator==(const MapRule&, const MapRule&) = default;
};

enum class Scorer : std::uint8_t {
  kGrid,     // Scores on axes and a map.
  kCluster,  // The nearest centroid.
};

// A point that customers are near to, and the segment of those who are nearest.
struct GivenCentroid {
  std::string segment;
  double recency_days = 0;
  double frequency = 0;
  double monetary = 0;  // In currency units.

  friend bool operator==(const GivenCentroid&, const GivenCentroid&) = default;
};

struct SegmentationSpec {
  std::string name;
  Scorer scorer = Scorer::kGrid;

  // kGrid.
  std::vector<Axis> axes;
  std::vector<MapRule> map;
  std::vector<SegmentInfo> segments;  // Those that the map names.

  // kCluster. Segments are named by the model (cluster_names.h), or by centroids that are given.
  double hysteresis = .2;                // On squared distances.
  std::int64_t recency_min_ms = 0;       // In distances recency counts as at least this.
  std::vector<GivenCentroid> centroids;  // Empty: those of the model.
  // With given ones: what one unit of distance is in log1p of R in days, F and M.
  std::array<double, 3> scale = {1, 1, 1};
  // With given ones: recency counts up to this instant, so that silence moves nobody; absent: up to
  // now.
  std::optional<std::int64_t> recency_at_ms;

  // Damping.
  bool guard = true;         // Silence never moves up, a purchase never down.
  std::int64_t stay_ms = 0;  // Least time in a segment before a move by time, cuts or model.

  friend bool operator==(const SegmentationSpec&, const SegmentationSpec&) = default;
};

inline constexpr std::size_t kAxesMax = 4;
inline constexpr std::size_t kCellsMax = 10'000;
inline constexpr std::size_t kSegmentsMax = 64;
inline constexpr std::size_t kSegmentationsMax = 64;

// A customer's scores, one per axis; 0: absent.
using AxisScores = std::array<std::uint8_t, kAxesMax>;

// (F + M + 1) / 2.
int combined_score(int f, int m);

}  // namespace rfm
