// One customer: invoices, an invoice still open, and the segment in each segmentation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "state/event_time.h"
#include "state/invoice_ledger.h"
#include "state/rules.h"

namespace rfm {

// A segment within one segmentation, as stored: 0 `none`, 1 `Unassigned`, 2 + its index otherwise
// (Segmentation::info).
using SegmentCode = std::uint16_t;
inline constexpr SegmentCode kNoSegmentCode = 0;
inline constexpr SegmentCode kUnassigned = 1;
inline constexpr SegmentCode kFirstSegment = 2;

// What the scorer of a segmentation calls for (state/segmenter.h): 0 and 1 as above, 2 + cell of a
// grid, 2 + id of a cluster.
struct Call {
  std::uint16_t code = 0;
  // One bit for each axis whose score silence has yet to bring down by the margin, because a cut
  // moved past its value.
  std::uint8_t waiting = 0;

  friend bool operator==(const Call&, const Call&) = default;
};

enum class Reason : std::uint8_t {
  kPurchase,
  kReturn,
  kInactivity,
  kPopulationShift,  // Cuts or centroids followed the others.
  kModelChange,      // First fit, challenger, names, churn weights, other thresholds.
  kRulesChange,
  kLateEvent,
  kErasure,
  kBackfill,
};
inline constexpr int kReasonCount = 9;

// The segment is what is published. It follows what is called for, but for damping.
struct SegmentState {
  EventTime since{};
  std::uint32_t seq = 0;  // Of the last transition; 0: there was none.
  SegmentCode segment = kNoSegmentCode;
  Call call;
  // Of another segment that is called for: why, how long after `since` it was, in seconds, and
  // whether it is dropped because of its direction.
  Reason called_reason = Reason::kPurchase;
  bool dropped = false;
  std::uint32_t called_after_s = 0;

  friend bool operator==(const SegmentState&, const SegmentState&) = default;
};
static_assert(sizeof(SegmentState) == 24);

// Lines of one invoice that add up until it settles.
struct OpenInvoice {
  static constexpr std::size_t kEventIdsMax = 8'192;
  static constexpr std::size_t kLinesBytesMax = 65'536;

  std::string invoice_no;
  std::string country;
  Money sum;
  EventTime last_line{};
  // How far the row is: nothing moves it before the invoice has settled.
  EventTime row_at{};
  InvoiceType type = InvoiceType::kInvoice;
  std::int64_t last_position = 0;  // In the input, of the line that came last.
  // What they sell (sales_book.h, `pack_line`), of the first kLinesBytesMax.
  std::string sold_lines{};
  // Hashes of the lines that had one; of the first kEventIdsMax.
  absl::flat_hash_set<std::uint64_t> event_ids{};

  friend bool operator==(const OpenInvoice&, const OpenInvoice&) = default;
};

// What only memory holds: derived from the stored fields and the model, rebuilt at start.
struct RowCache {
  // A purchase counts; without one the rest, but for the deadline, is not set.
  bool has_purchase = false;
  // Another segment is called for and held back.
  bool is_held = false;
  // The first instant up to the next epoch boundary at which time alone changes something; exact.
  // Later: kNever.
  EventTime deadline = kNever;
  // The first instant at which silence changes what a grid calls for under the current cuts;
  // kBeforeAll: not known.
  EventTime grid_change_at = kBeforeAll;
  // No cluster can change until `margin_until` while the centroids have drifted by less than
  // this (scaled units), counted from `margin_drift`; time takes `margin_loss_per_day` off it,
  // counted from `margin_at`.
  double margin = -1;
  double margin_loss_per_day = 0;
  double margin_drift = 0;
  EventTime margin_at{};
  EventTime margin_until{};
  // What follows the churn risk does not change at boundaries before and including this epoch,
  // under the same model.
  std::int64_t risk_quiet_until = 0;
};

// An action that does not apply again before `until`.
struct Cooldown {
  std::uint8_t segmentation = 0;
  SegmentCode segment = kNoSegmentCode;
  EventTime until{};

  friend bool operator==(const Cooldown&, const Cooldown&) = default;
};

// The last transition in a segmentation that is not in the rules any more: it led to `none`.
struct DroppedSegmentation {
  std::string name;
  std::uint32_t seq = 0;
  EventTime since{};

  friend bool operator==(const DroppedSegmentation&, const DroppedSegmentation&) = default;
};

struct CustomerRow {
  // What a sweep reads of every row comes first, so that it is in as few cache lines as possible.

  // The instant of the last event or change. A row without an open invoice is as far as its
  // partition's watermark at least; one with an open invoice is at `open->row_at`.
  EventTime clock = kBeforeAll;
  std::unique_ptr<OpenInvoice> open;
  RowCache cache;

  std::string id;
  std::uint64_t id_hash = 0;
  std::uint64_t birth = 0;  // 0 until the first invoice is applied.
  InvoiceLedger ledger;
  EventTime newest_at = kBeforeAll;  // Of the invoice that country and consent come from.
  std::string country;
  std::optional<bool> consent;
  // One per segmentation of the rules.
  absl::InlinedVector<SegmentState, 3> segments;
  // Transitions before it are not actionable, unless the customer acts first.
  EventTime quiet_until = kBeforeAll;
  std::unique_ptr<std::vector<Cooldown>> cooldowns;  // Of actions that have one.
  // The cluster whose sums the customer is part of, 1 + its id; 0: none. Training's own, so that no
  // damping of a segmentation reaches the model.
  std::uint8_t member = 0;
  // The version of the rules that the row is under: what `segments` and `cooldowns` mean.
  std::uint32_t rules = 1;
  // Of segmentations that the rules have dropped: should one come back, its chain goes on.
  std::unique_ptr<std::vector<DroppedSegmentation>> dropped;
  // What the moves book (moves_book.h) has of the customer: his money when it was booked last;
  // absent: nothing yet. And his moves, packed.
  std::optional<std::int64_t> booked;
  std::string history;

  // log1p of F and of max(M, 0) in fixed point (model/contribution.h): what the cluster statistics
  // add up.
  std::int32_t feature_f = -1;  // Negative: not computed yet.
  std::int32_t feature_m = -1;
};

// The stored fields are equal (the cache is not compared).
bool same_state(const CustomerRow& a, const CustomerRow& b);

}  // namespace rfm
