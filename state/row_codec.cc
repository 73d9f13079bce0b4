#include "state/row_codec.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "state/byte_codec.h"
#include "state/evaluation.h"
#include "state/hashes.h"

namespace rfm {
namespace {

void write_time(ByteWriter& out, EventTime time) { out.signed_varint(to_ms(time)); }
EventTime read_time(ByteReader& in) { return from_ms(in.signed_varint()); }

void write_money(ByteWriter& out, Money money) { out.signed_varint(money.units); }
Money read_money(ByteReader& in) { return {in.signed_varint()}; }

constexpr std::uint8_t kLastWithThree = 2;   // Three segmentations, undamped.
constexpr std::uint8_t kFirstWithRules = 4;  // Before it all rows are under the first ones.
constexpr std::uint8_t kFirstWithBooks = 5;

enum Flag : std::uint8_t {
  kHasConsent = 1,
  kConsent = 2,
  kHasOpen = 4,
  kHasFolded = 8,
  kHasCooldowns = 16,
  kHasDropped = 32,
  kIsBooked = 64
};
enum OpenFlag : std::uint8_t { kCredit = 1, kLive = 2 };  // kLive: version 1.

void write_ledger(ByteWriter& out, const InvoiceLedger& ledger) {
  out.varint(ledger.entries().size());
  for (const LedgerEntry& entry : ledger.entries().all()) {
    out.fixed64(entry.hash);
    out.signed_varint(entry.amount);
    out.fixed64(entry.word);
  }
}

void write_folded(ByteWriter& out, const FoldedInvoices& folded) {
  out.varint(folded.count);
  write_money(out, folded.purchases);
  write_money(out, folded.credits);
  write_time(out, folded.first_purchase);
  write_time(out, folded.last_purchase);
  write_time(out, folded.newest);
}

FoldedInvoices read_folded(ByteReader& in) {
  FoldedInvoices folded;
  folded.count = static_cast<std::uint32_t>(in.varint());
  folded.purchases = read_money(in);
  folded.credits = read_money(in);
  folded.first_purchase = read_time(in);
  folded.last_purchase = read_time(in);
  folded.newest = read_time(in);
  return folded;
}

void write_open(ByteWriter& out, const OpenInvoice& open) {
  out.byte(open.type == InvoiceType::kCredit ? kCredit : 0);
  out.string(open.invoice_no);
  out.string(open.country);
  write_money(out, open.sum);
  write_time(out, open.last_line);
  write_time(out, open.row_at);
  out.signed_varint(open.last_position);
  std::vector<std::uint64_t> ids(open.event_ids.begin(), open.event_ids.end());
  std::ranges::sort(ids);
  out.varint(ids.size());
  for (const std::uint64_t id : ids) out.fixed64(id);
  out.string(open.sold_lines);
}

// Version 1 kept the row's own clock, and instead of the position whether it was past go-live.
OpenInvoice read_open(ByteReader& in, std::uint8_t version, EventTime clock) {
  OpenInvoice open;
  const std::uint8_t flags = in.byte();
  open.type = (flags & kCredit) != 0 ? InvoiceType::kCredit : InvoiceType::kInvoice;
  open.invoice_no = in.string();
  open.country = in.string();
  open.sum = read_money(in);
  open.last_line = read_time(in);
  open.row_at = version == 1 ? clock : read_time(in);
  open.last_position = version > 1            ? in.signed_varint()
                       : (flags & kLive) != 0 ? std::numeric_limits<std::int64_t>::max()
                                              : -1;
  const std::uint64_t count = in.varint();
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) open.event_ids.insert(in.fixed64());
  if (version >= kFirstWithBooks) open.sold_lines = in.string();
  return open;
}

enum SegmentFlag : std::uint8_t { kDropped = 1, kReasonShift = 1 };  // The rest is the reason.

void write_segment(ByteWriter& out, const SegmentState& state) {
  out.varint(state.segment);
  out.varint(state.seq);
  write_time(out, state.since);
  out.varint(state.call.code);
  out.byte(state.call.waiting);
  const unsigned reason = static_cast<unsigned>(state.called_reason) << kReasonShift;
  out.byte(static_cast<std::uint8_t>(reason | (state.dropped ? kDropped + 0U : 0U)));
  out.varint(state.called_after_s);
}

bool read_segment(ByteReader& in, const Segmentation& segmentation, SegmentState& state) {
  const std::uint64_t segment = in.varint();
  state.seq = static_cast<std::uint32_t>(in.varint());
  state.since = read_time(in);
  const std::uint64_t call = in.varint();
  state.call.waiting = in.byte();
  const std::uint8_t flags = in.byte();
  state.dropped = (flags & kDropped) != 0;
  const unsigned reason = flags >> kReasonShift;
  state.called_reason = static_cast<Reason>(reason);
  state.called_after_s = static_cast<std::uint32_t>(in.varint());
  state.segment = static_cast<SegmentCode>(segment);
  state.call.code = static_cast<std::uint16_t>(call);
  const std::size_t calls = segmentation.is_cluster() ? kClustersMax : segmentation.cell_count();
  return segment < kFirstSegment + segmentation.info_count() && call < kFirstSegment + calls &&
         reason < kReasonCount;
}

// Versions 1 and 2 knew three segmentations, in this order, of which the five clusters, the three
// bands and the ten segments of the grid had these names in the order of their codes.
constexpr std::array<std::string_view, 3> kOldSegmentations = {"churn", "cluster", "rfm"};
constexpr std::array<std::string_view, 3> kOldBands = {"Low", "Medium", "High"};
constexpr std::array<std::string_view, 5> kOldClusters = {
    "Champions", "Loyal", "Dormant high-value", "Occasional", "Hibernating"};
constexpr std::array<std::string_view, 10> kOldGrid = {
    "New",     "Potential Loyalist", "Champions",      "Promising",
    "Loyal",   "About to Sleep",     "Need Attention", "Hibernating",
    "At Risk", "Can't Lose"};

std::span<const std::string_view> old_names(std::size_t segmentation) {
  if (segmentation == 0) return kOldBands;
  if (segmentation == 1) return kOldClusters;
  return kOldGrid;
}

// Of a segment known by its name: the first cell of it, or the cluster, stands for what is called
// for until the next event or boundary says better.
void set_by_name(const Segmentation& segmentation, std::string_view name, std::size_t old_index,
                 SegmentState& state) {
  for (std::size_t i = 0; i < segmentation.info_count(); ++i) {
    if (segmentation.info(i).name != name) continue;
    state.segment = static_cast<SegmentCode>(kFirstSegment + i);
    std::size_t call = old_index;
    if (!segmentation.is_cluster()) {
      for (call = 0; call < segmentation.cell_count(); ++call)
        if (segmentation.segment_of(static_cast<std::uint16_t>(call)) == i) break;
    }
    state.call.code = static_cast<std::uint16_t>(kFirstSegment + call);
    return;
  }
  state.segment = state.call.code = kUnassigned;
}

bool read_old_segments(ByteReader& in, const Segmentations& segmentations, CustomerRow& row) {
  for (std::size_t old = 0; old < kOldSegmentations.size(); ++old) {
    SegmentState state;
    const std::uint8_t code = in.byte();
    state.seq = static_cast<std::uint32_t>(in.varint());
    state.since = read_time(in);
    if (old == 1 && code >= kFirstSegment) row.member = static_cast<std::uint8_t>(code - 1);
    const std::span<const std::string_view> names = old_names(old);
    const std::size_t place = segmentations.find(kOldSegmentations[old]);
    if (place == segmentations.size()) continue;
    if (code < kFirstSegment) {
      state.segment = state.call.code = code;
    } else {
      const std::size_t index = code - kFirstSegment;
      set_by_name(segmentations[place], index < names.size() ? names[index] : "", index, state);
    }
    row.segments[place] = state;
  }
  return row.member <= kClustersMax;
}

void write_cooldowns(ByteWriter& out, const std::vector<Cooldown>& cooldowns) {
  out.varint(cooldowns.size());
  for (const Cooldown& cooldown : cooldowns) {
    out.byte(cooldown.segmentation);
    out.varint(cooldown.segment);
    write_time(out, cooldown.until);
  }
}

std::unique_ptr<std::vector<Cooldown>> read_cooldowns(ByteReader& in) {
  auto cooldowns = std::make_unique<std::vector<Cooldown>>();
  const std::uint64_t count = in.varint();
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    Cooldown cooldown{.segmentation = in.byte()};
    cooldown.segment = static_cast<SegmentCode>(in.varint());
    cooldown.until = read_time(in);
    cooldowns->push_back(cooldown);
  }
  return cooldowns;
}

void write_dropped(ByteWriter& out, const std::vector<DroppedSegmentation>& dropped) {
  out.varint(dropped.size());
  for (const DroppedSegmentation& segmentation : dropped) {
    out.string(segmentation.name);
    out.varint(segmentation.seq);
    write_time(out, segmentation.since);
  }
}

std::unique_ptr<std::vector<DroppedSegmentation>> read_dropped(ByteReader& in) {
  auto dropped = std::make_unique<std::vector<DroppedSegmentation>>();
  const std::uint64_t count = in.varint();
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    DroppedSegmentation segmentation{.name = std::string(in.string())};
    segmentation.seq = static_cast<std::uint32_t>(in.varint());
    segmentation.since = read_time(in);
    dropped->push_back(std::move(segmentation));
  }
  return dropped;
}

// Version 1 stored the sums.
void skip_sums(ByteReader& in) {
  for (int i = 0; i < 5; ++i) in.varint();
}

}  // namespace

std::string encode_row(const CustomerRow& row) {
  ByteWriter out;
  out.byte(kRowCodecVersion);
  const FoldedInvoices& folded = row.ledger.folded();
  const bool has_folded = folded != FoldedInvoices{};
  out.byte(static_cast<std::uint8_t>(
      (row.consent ? kHasConsent : 0) | (row.consent.value_or(false) ? kConsent : 0) |
      (row.open ? kHasOpen : 0) | (has_folded ? kHasFolded : 0) |
      (row.cooldowns ? kHasCooldowns : 0) | (row.dropped ? kHasDropped : 0) |
      (row.booked ? kIsBooked : 0)));
  out.fixed64(row.birth);
  write_time(out, row.clock);
  write_time(out, row.newest_at);
  out.string(row.country);
  out.varint(row.rules);
  out.varint(row.segments.size());
  for (const SegmentState& state : row.segments) write_segment(out, state);
  write_time(out, row.quiet_until);
  out.byte(row.member);
  if (row.cooldowns) write_cooldowns(out, *row.cooldowns);
  if (row.dropped) write_dropped(out, *row.dropped);
  write_ledger(out, row.ledger);
  if (has_folded) write_folded(out, folded);
  if (row.open) write_open(out, *row.open);
  if (row.booked) {
    out.signed_varint(*row.booked);
    out.string(row.history);
  }
  return out.take();
}

absl::StatusOr<CustomerRow> decode_row(std::string_view customer_id, std::string_view bytes,
                                       const TimeContext& context) {
  ByteReader in(bytes);
  const std::uint8_t version = in.byte();
  if (version > kRowCodecVersion) {
    return absl::UnimplementedError(
        fmt::format("row of customer {} has format version {}, this program knows versions up to "
                    "{}: start a newer one",
                    customer_id, version, kRowCodecVersion));
  }
  CustomerRow row;
  row.id = customer_id;
  row.id_hash = customer_hash(customer_id);
  const std::uint8_t flags = in.byte();
  if ((flags & kHasConsent) != 0) row.consent = (flags & kConsent) != 0;
  row.birth = in.fixed64();
  row.clock = read_time(in);
  row.newest_at = read_time(in);
  row.country = in.string();
  if (version >= kFirstWithRules) row.rules = static_cast<std::uint32_t>(in.varint());
  const Rules* const under = context.find_rules(row.rules);
  if (under == nullptr && in.ok()) {
    return absl::DataLossError(fmt::format(
        "row of customer {} is under rules version {}, which the model log does not hold",
        customer_id, row.rules));
  }
  const Rules& rules = under == nullptr ? context.rules : *under;
  const Segmentations& segmentations = rules.segmentations;
  row.segments.resize(segmentations.size());
  bool is_known = true;
  if (version <= kLastWithThree) {
    is_known = read_old_segments(in, segmentations, row);
  } else {
    is_known = in.varint() == segmentations.size();
    for (std::size_t s = 0; s < segmentations.size() && is_known; ++s)
      is_known = read_segment(in, segmentations[s], row.segments[s]);
    row.quiet_until = read_time(in);
    row.member = in.byte();
    if ((flags & kHasCooldowns) != 0) row.cooldowns = read_cooldowns(in);
    if ((flags & kHasDropped) != 0) row.dropped = read_dropped(in);
    is_known = is_known && row.member <= kClustersMax;
  }
  if (version == 1) skip_sums(in);
  std::vector<LedgerEntry> entries;
  const std::uint64_t count = in.varint();
  if (count <= in.remaining()) entries.reserve(count);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    LedgerEntry entry;
    entry.hash = in.fixed64();
    entry.amount = in.signed_varint();
    entry.word = in.fixed64();
    entries.push_back(entry);
  }
  const FoldedInvoices folded = (flags & kHasFolded) != 0 ? read_folded(in) : FoldedInvoices{};
  if ((flags & kHasOpen) != 0)
    row.open = std::make_unique<OpenInvoice>(read_open(in, version, row.clock));
  if ((flags & kIsBooked) != 0 && version >= kFirstWithBooks) {
    row.booked = in.signed_varint();
    row.history = in.string();
  }
  if (version == 0 || !in.ok() || !in.at_end() || !is_known ||
      !row.ledger.restore(entries, folded, rules, row.clock)) {
    return absl::DataLossError(
        fmt::format("row of customer {} is damaged ({} bytes)", customer_id, bytes.size()));
  }
  const CustomerFacts facts = facts_of(row, rules, nullptr, row.clock);
  row.feature_f = fixed_feature_f(facts.frequency);
  row.feature_m = fixed_feature_m(facts.monetary);
  return row;
}

}  // namespace rfm
