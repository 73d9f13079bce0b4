#include "state/damping.h"
#include "state/evaluation.h"
#include "stream/format/transition_writer.h"
#include "stream/text/json_text.h"
#include "stream/text/time_text.h"

namespace rfm {

std::string_view TransitionWriter::write_segments(const CustomerRow& row, const Rules& rules,
                                                  const CustomerFacts& facts) {
  body_.clear();
  JsonText out(body_);
  out.begin_object();
  out.key("customer_id").text(row.id);
  const auto for_each = [&](auto&& write) {
    for (std::size_t s = 0; s < row.segments.size(); ++s)
      write(rules.segmentations[s], row.segments[s]);
  };
  out.key("segments").begin_object();
  for_each([&](const Segmentation& in, const SegmentState& state) {
    out.key(in.name()).text(segment_info(in, state.segment).name);
  });
  out.end_object();
  out.key("since").begin_object();
  for_each([&](const Segmentation& in, const SegmentState& state) {
    if (state.seq > 0) out.key(in.name()).text(Rfc3339Text(state.since).view());
  });
  out.end_object();
  out.key("seq").begin_object();
  for_each([&](const Segmentation& in, const SegmentState& state) {
    out.key(in.name()).integer(state.seq);
  });
  out.end_object();
  if (const auto risk = churn_risk_of(facts)) out.key("churn_risk").fixed(*risk, 6);
  out.key("as_of").text(Rfc3339Text(facts.at).view());
  out.key("model_version").integer(facts.version->number);
  out.key("rules_version").integer(rules.version);
  out.end_object();
  return body_.view();
}

}  // namespace rfm
