// What a new model version is to a customer.
#pragma once

#include "model/model_version.h"
#include "model/segmentation.h"
#include "state/customer_row.h"
#include "state/segmenter.h"
#include "state/transition.h"

namespace rfm {

// Whether the version that takes effect may call for something else in the segmentation.
bool adopts(const Segmentation& segmentation, const ModelVersion& to);

// Why it calls for `call` now.
Reason adoption_reason(const Segmenter& segmenter, const SegmentState& state, Call call,
                       const ModelVersion& from, const ModelVersion& to);

// The cluster whose sums the customer is part of.
void refresh_member(CustomerRow& row, const CustomerFacts& facts);

}  // namespace rfm
