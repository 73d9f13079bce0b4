#include "model/segmentation_spec.h"

namespace rfm {

std::string_view name(CutMethod method) {
  switch (method) {
    case CutMethod::kFixed:
      return "fixed";
    case CutMethod::kQuantile:
      return "quantile";
    case CutMethod::kBreaks:
      break;
  }
  return "breaks";
}

std::string_view name(Quantity quantity) {
  switch (quantity) {
    case Quantity::kRecency:
      return "recency";
    case Quantity::kFrequency:
      return "frequency";
    case Quantity::kMonetary:
      return "monetary";
    case Quantity::kOrderValue:
      return "order_value";
    case Quantity::kOverdue:
      return "overdue";
    case Quantity::kRisk:
      return "risk";
    case Quantity::kValue:
      break;
  }
  return "value";
}

bool is_less_better(Quantity quantity) {
  return quantity == Quantity::kRecency || quantity == Quantity::kOverdue ||
         quantity == Quantity::kRisk;
}

const SegmentInfo& no_segment() {
  static const SegmentInfo kInfo{std::string(kNoSegment), 0, "No purchase counts.", {}, false};
  return kInfo;
}

const SegmentInfo& unassigned_segment() {
  static const SegmentInfo kInfo{
      std::string(kUnassignedSegment), 0, "Not enough customers for a model yet.", {}, false};
  return kInfo;
}

int combined_score(int f, int m) { return (f + m + 1) / 2; }

}  // namespace rfm
