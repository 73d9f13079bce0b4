#include "state/segment_names.h"

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

std::string_view SegmentNames::name_of(std::uint32_t id) {
  if (id >= names_.size()) follow();
  return id < names_.size() ? std::string_view(names_[id]) : std::string_view();
}

}  // namespace rfm
