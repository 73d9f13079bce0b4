// A segment map: which segment each of the 125 combinations of R, F and M scores belongs to. Maps
// are data; one that leaves a cell empty or claims it twice, or names a segment no cell reaches,
// cannot be made.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "model/score_cuts.h"
#include "model/segment_catalog.h"

namespace rfm {

struct ScoreRange {
  std::uint8_t low = 1;
  std::uint8_t high = kScoreMax;

  friend bool operator==(const ScoreRange&, const ScoreRange&) = default;
};

// One block of cells. A segment may have several. `fm` is the combined score (F + M + 1) / 2,
// rounded up at halves.
struct SegmentRule {
  std::string segment;
  ScoreRange r;
  ScoreRange f;
  ScoreRange m;
  ScoreRange fm;

  friend bool operator==(const SegmentRule&, const SegmentRule&) = default;
};

inline constexpr int kSegmentsMax = 64;

class SegmentMap {
 public:
  // `infos` describe the segments; a name that is not among them is looked up in the catalogue
  // (segment_catalog.h) and refused if it is not there either. Errors are InvalidArgument and name
  // the cell or the segment.
  static absl::StatusOr<SegmentMap> create(const std::vector<SegmentRule>& rules,
                                           const std::vector<SegmentInfo>& infos);

  // The default: 5 x 5 cells over R and FM.
  static const SegmentMap& grid();

  // All scores within 1..5. Ids count from 0 in the order of the rules.
  std::uint8_t segment_of(Scores scores) const;

  std::size_t size() const { return segments_.size(); }
  const SegmentInfo& info(std::uint8_t id) const { return segments_[id]; }
  std::string_view name(std::uint8_t id) const { return segments_[id].name; }

  friend bool operator==(const SegmentMap&, const SegmentMap&) = default;

 private:
  SegmentMap() = default;

  static constexpr int kCells = kScoreMax * kScoreMax * kScoreMax;
  static std::size_t cell(int r, int f, int m);

  std::array<std::uint8_t, kCells> segment_of_cell_{};
  std::vector<SegmentInfo> segments_;
};

// (F + M + 1) / 2.
int combined_score(int f, int m);

// The rules of a preset ("grid"); empty if there is none of that name.
std::vector<SegmentRule> preset_rules(std::string_view name);

// Rules for five rows of five names: row 0 is R = 5, column 0 is FM = 1.
std::vector<SegmentRule> rules_from_rows(
    const std::array<std::array<std::string, kScoreMax>, kScoreMax>& rows);

}  // namespace rfm
