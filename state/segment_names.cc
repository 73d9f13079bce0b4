#include "state/segment_names.h"

#include <algorithm>
#include <utility>

#include "state/assertion.h"
#include "state/transition.h"

namespace rfm {

SegmentNames::SegmentNames(const TimeContext& logs) : logs_(logs) {
  version_ = logs.rules.version;
  add_all(logs.rules);
}

void SegmentNames::add(const std::string& name) {
  if (ids_.emplace(name, static_cast<std::uint32_t>(names_.size())).second) names_.push_back(name);
}

void SegmentNames::add_all(const Rules& rules) {
  for (const Segmentation& segmentation : rules.segmentations.all()) {
    add(segmentation.name());
    add(segment_info(segmentation, kNoSegmentCode).name);
    add(segment_info(segmentation, kUnassigned).name);
    for (std::size_t i = 0; i < segmentation.info_count(); ++i) add(segmentation.info(i).name);
  }
}

void SegmentNames::follow() {
  while (const Rules* next = logs_.find_rules(version_ + 1)) {
    ++version_;
    add_all(*next);
  }
}

std::uint32_t SegmentNames::id_of(std::string_view name) {
  auto known = ids_.find(name);
  if (known == ids_.end()) {
    follow();
    known = ids_.find(name);
    RFM_ASSERT(known != ids_.end());
  }
  return known->second;
}

SegmentNames::Place SegmentNames::place_of(const Rules& rules, std::size_t segmentation,
                                           SegmentCode code) {
  return table_of(rules).places[segmentation][code];
}

const SegmentNames::Table& SegmentNames::table_of(const Rules& rules) {
  if (!tables_.empty() && tables_.back().rules == &rules) return tables_.back();
  const auto known = std::ranges::find(tables_, &rules, &Table::rules);
  if (known != tables_.end()) {
    std::swap(*known, tables_.back());
    return tables_.back();
  }
  Table& table = tables_.emplace_back();
  table.rules = &rules;
  for (const Segmentation& segmentation : rules.segmentations.all()) {
    std::vector<Place>& places = table.places.emplace_back();
    const std::uint32_t id = id_of(segmentation.name());
    for (std::size_t code = 0; code < kFirstSegment + segmentation.info_count(); ++code) {
      const SegmentInfo& info = segment_info(segmentation, static_cast<SegmentCode>(code));
      places.push_back({id, id_of(info.name)});
    }
  }
  return table;
}

std::string_view SegmentNames::name_of(std::uint32_t id) {
  if (id >= names_.size()) follow();
  return id < names_.size() ? std::string_view(names_[id]) : std::string_view();
}

}  // namespace rfm
