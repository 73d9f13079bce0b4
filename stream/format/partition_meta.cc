#include "stream/format/partition_meta.h"

#include <numeric>

#include "absl/status/status.h"
#include "state/byte_codec.h"

namespace rfm {
namespace {

constexpr std::uint8_t kMetaCodecVersion = 1;

template <class Counters, class Visit>
void visit_counters(Counters& counters, const Visit& visit) {
  visit(counters.records);
  visit(counters.applied);
  visit(counters.duplicate);
  visit(counters.erased);
  for (auto& count : counters.ignored) visit(count);
  for (auto& count : counters.dead_lettered) visit(count);
  visit(counters.late);
  visit(counters.invoices_settled);
  visit(counters.invoices_rejected);
  visit(counters.transitions);
  visit(counters.suppressed);
}

}  // namespace

std::string_view name(IgnoredReason reason) {
  constexpr std::array<std::string_view, kIgnoredReasonCount> kNames = {"no_customer", "superseded",
                                                                        "adjustment"};
  return kNames[static_cast<std::size_t>(reason)];
}

std::uint64_t OutcomeCounters::ignored_total() const {
  return std::accumulate(ignored.begin(), ignored.end(), std::uint64_t{0});
}

std::uint64_t OutcomeCounters::dead_lettered_total() const {
  return std::accumulate(dead_lettered.begin(), dead_lettered.end(), std::uint64_t{0});
}

bool OutcomeCounters::add_up() const {
  return records == applied + duplicate + erased + ignored_total() + dead_lettered_total();
}

void OutcomeCounters::add(const OutcomeCounters& other) {
  std::array<std::uint64_t, 9 + kIgnoredReasonCount + kDeadLetterReasonCount> values{};
  std::size_t i = 0;
  visit_counters(other, [&](std::uint64_t value) { values[i++] = value; });
  i = 0;
  visit_counters(*this, [&](std::uint64_t& value) { value += values[i++]; });
}

std::string encode_meta(const PartitionMeta& meta) {
  ByteWriter out;
  out.byte(kMetaCodecVersion);
  out.signed_varint(meta.next_offset);
  out.varint(meta.commit_number);
  out.signed_varint(meta.changelog_next);
  out.byte(meta.started ? 1 : 0);
  out.signed_varint(to_ms(meta.max_event_time));
  out.signed_varint(to_ms(meta.watermark));
  out.signed_varint(meta.last_received_ms);
  out.signed_varint(meta.first_boundary);
  out.signed_varint(meta.crossed);
  out.signed_varint(meta.contributed);
  out.byte(meta.go_live_watermark ? 1 : 0);
  out.signed_varint(meta.go_live_watermark ? to_ms(*meta.go_live_watermark) : 0);
  visit_counters(meta.counters, [&](std::uint64_t count) { out.varint(count); });
  out.string(meta.application);
  out.string(meta.input_topic);
  out.signed_varint(meta.partition_count);
  for (const std::uint64_t length : meta.file_lengths) out.varint(length);
  out.varint(meta.input_mark);
  return out.take();
}

absl::StatusOr<PartitionMeta> decode_meta(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint8_t version = in.byte();
  if (version > kMetaCodecVersion) {
    return absl::UnimplementedError(
        "the partition's meta row was written by a newer version: start that one");
  }
  PartitionMeta meta;
  meta.next_offset = in.signed_varint();
  meta.commit_number = in.varint();
  meta.changelog_next = in.signed_varint();
  meta.started = in.byte() != 0;
  meta.max_event_time = from_ms(in.signed_varint());
  meta.watermark = from_ms(in.signed_varint());
  meta.last_received_ms = in.signed_varint();
  meta.first_boundary = in.signed_varint();
  meta.crossed = in.signed_varint();
  meta.contributed = in.signed_varint();
  const bool live = in.byte() != 0;
  const EventTime live_watermark = from_ms(in.signed_varint());
  if (live) meta.go_live_watermark = live_watermark;
  visit_counters(meta.counters, [&](std::uint64_t& count) { count = in.varint(); });
  meta.application = in.string();
  meta.input_topic = in.string();
  meta.partition_count = static_cast<std::int32_t>(in.signed_varint());
  for (std::uint64_t& length : meta.file_lengths) length = in.varint();
  meta.input_mark = in.varint();
  if (version == 0 || !in.ok() || !in.at_end())
    return absl::DataLossError("the partition's meta row is damaged");
  return meta;
}

absl::StatusOr<std::optional<PartitionMeta>> read_meta(StateStore& store, PartitionId partition) {
  std::optional<PartitionMeta> meta;
  const absl::Status read =
      store.scan(StoreKind::kMeta, partition, [&](std::string_view, std::string_view bytes) {
        absl::StatusOr<PartitionMeta> decoded = decode_meta(bytes);
        if (!decoded.ok()) return decoded.status();
        meta = *std::move(decoded);
        return absl::OkStatus();
      });
  if (!read.ok()) return read;
  return meta;
}

bool same_progress(const PartitionMeta& a, const PartitionMeta& b) {
  return a.started == b.started && a.max_event_time == b.max_event_time &&
         a.watermark == b.watermark && a.first_boundary == b.first_boundary &&
         a.crossed == b.crossed && a.counters == b.counters && a.application == b.application;
}

}  // namespace rfm
