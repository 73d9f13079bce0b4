#include "state/row_codec.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "model/segment_catalog.h"
#include "state/byte_codec.h"
#include "state/evaluation.h"
#include "state/hashes.h"

namespace rfm {
namespace {

void write_time(ByteWriter& out, EventTime time) { out.signed_varint(to_ms(time)); }
EventTime read_time(ByteReader& in) { return from_ms(in.signed_varint()); }

void write_money(ByteWriter& out, Money money) { out.signed_varint(money.units); }
Money read_money(ByteReader& in) { return {in.signed_varint()}; }

enum Flag : std::uint8_t { kHasConsent = 1, kConsent = 2, kHasOpen = 4, kHasFolded = 8 };
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
  return open;
}

// Segments that there can be. The cluster's may still be none of the version in effect.
bool are_known(const std::array<SegmentState, kSegmentationCount>& segments, const Rules& rules) {
  const auto code = [&](Segmentation segmentation) {
    return segments[static_cast<std::size_t>(segmentation)].segment;
  };
  return code(Segmentation::kChurn) < kFirstSegment + kChurnBandCount &&
         code(Segmentation::kCluster) < kFirstSegment + kClustersMax &&
         code(Segmentation::kRfm) < kFirstSegment + rules.map.size();
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
  out.byte(static_cast<std::uint8_t>((row.consent ? kHasConsent : 0) |
                                     (row.consent.value_or(false) ? kConsent : 0) |
                                     (row.open ? kHasOpen : 0) | (has_folded ? kHasFolded : 0)));
  out.fixed64(row.birth);
  write_time(out, row.clock);
  write_time(out, row.newest_at);
  out.string(row.country);
  for (const SegmentState& segment : row.segments) {
    out.byte(segment.segment);
    out.varint(segment.seq);
    write_time(out, segment.since);
  }
  write_ledger(out, row.ledger);
  if (has_folded) write_folded(out, folded);
  if (row.open) write_open(out, *row.open);
  return out.take();
}

absl::StatusOr<CustomerRow> decode_row(std::string_view customer_id, std::string_view bytes,
                                       const Rules& rules) {
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
  for (SegmentState& segment : row.segments) {
    segment.segment = in.byte();
    segment.seq = static_cast<std::uint32_t>(in.varint());
    segment.since = read_time(in);
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
  if (version == 0 || !in.ok() || !in.at_end() || !are_known(row.segments, rules) ||
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
