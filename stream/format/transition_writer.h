// Transitions and current segments as published: CloudEvents 1.0 binary mode with a JSON body
// (config/schemas/segment-transition.schema.json, customer-segments.schema.json).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "state/rules.h"
#include "state/transition.h"
#include "stream/record/output_sink.h"
#include "stream/record/record.h"
#include "stream/text/text_buffer.h"

namespace rfm {

struct TransitionWriterOptions {
  std::string application;
};

// From where on transitions caused by a record are actionable.
struct GoLive {
  Offset offset = 0;
  std::optional<EventTime> time{};  // File sources instead: by event time.

  bool includes(const Cause& cause) const {
    return time ? cause.event_time >= *time : cause.position >= offset;
  }
};

// What of a transition depends on its partition.
struct TransitionContext {
  GoLive go_live{};
  std::optional<EventTime>
      live_after{};  // Time-caused ones after it are actionable; absent: not live yet.
};

// Whom a transition is about: what it does not change.
struct TransitionSubject {
  std::string id;
  std::uint64_t birth = 0;
  std::optional<bool> consent;
};

class TransitionWriter {
 public:
  explicit TransitionWriter(const TransitionWriterOptions& options);

  // Fills `headers` and `body`, whose views are valid until the next call and while `subject`
  // lives. Does not read `transition.row`.
  void write(const Transition& transition, const TransitionSubject& subject,
             const TransitionContext& context);
  std::span<const Header> headers() const { return headers_; }
  std::string_view body() const { return body_.view(); }

  // The value of `customer-segments`; `facts` are those at the row's last change of segment,
  // `rules` those that the row is under. Valid until the next call.
  std::string_view write_segments(const CustomerRow& row, const Rules& rules,
                                  const CustomerFacts& facts);

 private:
  std::string source_;
  std::string id_;
  std::string birth_;
  std::array<Header, 5> headers_;
  TextBuffer body_;
};

// Why marketing should not act on it; empty: it is actionable.
std::string_view suppressed_by(const Transition& transition, const TransitionSubject& subject,
                               const TransitionContext& context, const Rules& rules);

}  // namespace rfm
