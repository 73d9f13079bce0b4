// One customer: invoices, an invoice still open, and the segment in each segmentation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "state/event_time.h"
#include "state/invoice_ledger.h"
#include "state/rules.h"

namespace rfm {

// A segment within one segmentation, as stored: 0 `none`, 1 `Unassigned`, 2 + id otherwise (band,
// cluster, map segment).
using SegmentCode = std::uint8_t;
inline constexpr SegmentCode kNoSegmentCode = 0;
inline constexpr SegmentCode kUnassigned = 1;
inline constexpr SegmentCode kFirstSegment = 2;

struct SegmentState {
  EventTime since{};
  std::uint32_t seq = 0;  // Of the last transition; 0: there was none.
  SegmentCode segment = kNoSegmentCode;

  friend bool operator==(const SegmentState&, const SegmentState&) = default;
};

// Lines of one invoice that add up until it settles.
struct OpenInvoice {
  static constexpr std::size_t kEventIdsMax = 8'192;

  std::string invoice_no;
  std::string country;
  Money sum;
  EventTime last_line{};
  // How far the row is: nothing moves it before the invoice has settled.
  EventTime row_at{};
  InvoiceType type = InvoiceType::kInvoice;
  std::int64_t last_position = 0;  // In the input, of the line that came last.
  // Hashes of the lines that had one; of the first kEventIdsMax.
  absl::flat_hash_set<std::uint64_t> event_ids;

  friend bool operator==(const OpenInvoice&, const OpenInvoice&) = default;
};

// What only memory holds: derived from the stored fields and the model, rebuilt at start.
struct RowCache {
  // A purchase counts; without one the rest, but for the deadline, is not set.
  bool has_purchase = false;
  // The first instant up to the next epoch boundary at which time alone changes something; exact.
  // Later: kNever.
  EventTime deadline = kNever;
  // The first instant at which recency changes the `rfm` segment under the current cuts;
  // kBeforeAll: not known.
  EventTime rfm_change_at = kBeforeAll;
  // The cluster cannot change until `margin_until` while the centroids have drifted by less than
  // this (scaled units), counted from `margin_drift`; time takes `margin_loss_per_day` off it,
  // counted from `margin_at`.
  double margin = -1;
  double margin_loss_per_day = 0;
  double margin_drift = 0;
  EventTime margin_at{};
  EventTime margin_until{};
  // The churn band that is called for does not change at boundaries before and including this
  // epoch, under the same model.
  std::int64_t churn_quiet_until = 0;
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
  std::array<SegmentState, kSegmentationCount> segments{};

  // log1p of F and of max(M, 0) in fixed point (model/contribution.h): what the cluster statistics
  // add up.
  std::int32_t feature_f = -1;  // Negative: not computed yet.
  std::int32_t feature_m = -1;
};

// The stored fields are equal (the cache is not compared).
bool same_state(const CustomerRow& a, const CustomerRow& b);

}  // namespace rfm
