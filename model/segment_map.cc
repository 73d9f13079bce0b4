#include "model/segment_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "absl/status/status.h"

namespace rfm {

namespace {

constexpr std::uint8_t kEmpty = 255;

bool contains(ScoreRange range, int score) { return range.low <= score && score <= range.high; }

bool covers(const SegmentRule& rule, int r, int f, int m) {
  return contains(rule.r, r) && contains(rule.f, f) && contains(rule.m, m) &&
         contains(rule.fm, combined_score(f, m));
}

std::string cell_name(int r, int f, int m) {
  return fmt::format("R={} F={} M={} (FM={})", r, f, m, combined_score(f, m));
}

absl::Status check_range(const SegmentRule& rule, std::string_view axis, ScoreRange range) {
  if (range.low >= 1 && range.low <= range.high && range.high <= kScoreMax) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("segment \"{}\": {} is {}-{}; allowed are ranges within 1-{}", rule.segment, axis,
                  int{range.low}, int{range.high}, kScoreMax));
}

absl::Status check_rule(const SegmentRule& rule) {
  if (rule.segment.empty())
    return absl::InvalidArgumentError("a cell of the segment map has an empty name");
  if (rule.segment == kNoSegment || rule.segment == kUnassignedSegment) {
    return absl::InvalidArgumentError(
        fmt::format("segment \"{}\" is a reserved name; choose another", rule.segment));
  }
  for (const auto& [axis, range] : {std::pair<std::string_view, ScoreRange>{"r", rule.r},
                                    {"f", rule.f},
                                    {"m", rule.m},
                                    {"fm", rule.fm}}) {
    if (absl::Status status = check_range(rule, axis, range); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<SegmentInfo> describe(const std::string& segment,
                                     const std::vector<SegmentInfo>& infos) {
  for (const SegmentInfo& info : infos) {
    if (info.name == segment) return info;
  }
  if (const SegmentInfo* known = find_rfm_segment(segment); known != nullptr) return *known;
  return absl::InvalidArgumentError(
      fmt::format("segment \"{}\" is not known: give it a rank, a description and an action in "
                  "segmentation.rfm.segments",
                  segment));
}

}  // namespace

int combined_score(int f, int m) { return (f + m + 1) / 2; }

std::size_t SegmentMap::cell(int r, int f, int m) {
  return static_cast<std::size_t>(((r - 1) * kScoreMax + (f - 1)) * kScoreMax + (m - 1));
}

absl::StatusOr<SegmentMap> SegmentMap::create(const std::vector<SegmentRule>& rules,
                                              const std::vector<SegmentInfo>& infos) {
  SegmentMap map;
  map.segment_of_cell_.fill(kEmpty);
  std::vector<std::uint8_t> id_of_rule;
  for (const SegmentRule& rule : rules) {
    if (absl::Status status = check_rule(rule); !status.ok()) return status;
    const auto known =
        std::find_if(map.segments_.begin(), map.segments_.end(),
                     [&](const SegmentInfo& info) { return info.name == rule.segment; });
    id_of_rule.push_back(static_cast<std::uint8_t>(known - map.segments_.begin()));
    if (known != map.segments_.end()) continue;
    if (map.segments_.size() == kSegmentsMax) {
      return absl::InvalidArgumentError(fmt::format("more than {} segments", kSegmentsMax));
    }
    absl::StatusOr<SegmentInfo> info = describe(rule.segment, infos);
    if (!info.ok()) return info.status();
    map.segments_.push_back(*std::move(info));
  }
  for (const SegmentInfo& info : infos) {
    const bool reached = std::any_of(rules.begin(), rules.end(), [&](const SegmentRule& rule) {
      return rule.segment == info.name;
    });
    if (!reached) {
      return absl::InvalidArgumentError(
          fmt::format("segment \"{}\" is described but no cell has it", info.name));
    }
  }

  std::vector<bool> reached(rules.size(), false);
  for (int r = 1; r <= kScoreMax; ++r) {
    for (int f = 1; f <= kScoreMax; ++f) {
      for (int m = 1; m <= kScoreMax; ++m) {
        std::uint8_t& id = map.segment_of_cell_[cell(r, f, m)];
        for (std::size_t i = 0; i < rules.size(); ++i) {
          if (!covers(rules[i], r, f, m)) continue;
          if (id != kEmpty) {
            return absl::InvalidArgumentError(
                fmt::format("cell {} is claimed twice: by \"{}\" and by \"{}\"", cell_name(r, f, m),
                            map.name(id), rules[i].segment));
          }
          id = id_of_rule[i];
          reached[i] = true;
        }
        if (id == kEmpty) {
          return absl::InvalidArgumentError(
              fmt::format("cell {} belongs to no segment", cell_name(r, f, m)));
        }
      }
    }
  }
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (!reached[i]) {
      return absl::InvalidArgumentError(
          fmt::format("entry {} (\"{}\") reaches no cell", i + 1, rules[i].segment));
    }
  }
  return map;
}

const SegmentMap& SegmentMap::grid() {
  static const SegmentMap kGrid = [] {
    absl::StatusOr<SegmentMap> made = create(preset_rules("grid"), {});
    if (!made.ok()) std::abort();  // Tests keep the preset total.
    return *std::move(made);
  }();
  return kGrid;
}

std::uint8_t SegmentMap::segment_of(Scores scores) const {
  return segment_of_cell_[cell(scores.r, scores.f, scores.m)];
}

std::vector<SegmentRule> rules_from_rows(
    const std::array<std::array<std::string, kScoreMax>, kScoreMax>& rows) {
  std::vector<SegmentRule> rules;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto r = static_cast<std::uint8_t>(kScoreMax - row);
    for (std::size_t column = 0; column < rows[row].size(); ++column) {
      const auto fm = static_cast<std::uint8_t>(column + 1);
      // Neighbours of the same name become one rule, so that the text of a map stays short.
      if (column > 0 && rules.back().segment == rows[row][column]) {
        rules.back().fm.high = fm;
        continue;
      }
      SegmentRule rule;
      rule.segment = rows[row][column];
      rule.r = {r, r};
      rule.fm = {fm, fm};
      rules.push_back(std::move(rule));
    }
  }
  return rules;
}

std::vector<SegmentRule> preset_rules(std::string_view name) {
  if (name != "grid") return {};
  return rules_from_rows({{
      {"New", "Potential Loyalist", "Potential Loyalist", "Champions", "Champions"},
      {"Promising", "Potential Loyalist", "Potential Loyalist", "Loyal", "Loyal"},
      {"About to Sleep", "About to Sleep", "Need Attention", "Loyal", "Loyal"},
      {"Hibernating", "Hibernating", "At Risk", "At Risk", "Can't Lose"},
      {"Hibernating", "Hibernating", "At Risk", "At Risk", "Can't Lose"},
  }});
}

}  // namespace rfm
