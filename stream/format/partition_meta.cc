#include "stream/format/partition_meta.h"

#include <numeric>
#include <vector>

#include "absl/status/status.h"
#include "state/byte_codec.h"
#include "state/hashes.h"

namespace rfm {
namespace {

constexpr std::uint8_t kMetaCodecVersion = 3;
constexpr std::size_t kFilesOfVersionTwo = 6;  // Without that of receipts.

// What version 1 knew, in its order.
constexpr std::size_t kIgnoredReasonsV1 = 3;
constexpr std::size_t kDeadLetterReasonsV1 = 12;

// The counters that are no list, in stored order: new ones go to the end.
template <class Counters, class Visit>
void visit_single(Counters& counters, const Visit& visit) {
  visit(counters.records);
  visit(counters.applied);
  visit(counters.duplicate);
  visit(counters.erased);
  visit(counters.late);
  visit(counters.invoices_settled);
  visit(counters.invoices_rejected);
  visit(counters.transitions);
  visit(counters.suppressed);
  visit(counters.given_up);
  visit(counters.unfolded);
  visit(counters.changelogs_rewritten);
}

std::size_t single_count() {
  std::size_t count = 0;
  const OutcomeCounters counters;
  visit_single(counters, [&](std::uint64_t) { ++count; });
  return count;
}

// Each list says how long it is, so that one that grows at its end needs no new version.
void write_counters(ByteWriter& out, const OutcomeCounters& counters) {
  out.varint(single_count());
  visit_single(counters, [&](std::uint64_t count) { out.varint(count); });
  out.varint(counters.ignored.size());
  for (const std::uint64_t count : counters.ignored) out.varint(count);
  out.varint(counters.dead_lettered.size());
  for (const std::uint64_t count : counters.dead_lettered) out.varint(count);
}

// False: there are counters that this version does not know.
bool read_counters(ByteReader& in, OutcomeCounters& counters) {
  std::uint64_t left = in.varint();
  if (left > single_count()) return false;
  visit_single(counters, [&](std::uint64_t& count) {
    if (left > 0) {
      count = in.varint();
      --left;
    }
  });
  const auto read_list = [&in](auto& list) {
    const std::uint64_t size = in.varint();
    if (size > list.size()) return false;
    for (std::size_t i = 0; i < size; ++i) list[i] = in.varint();
    return true;
  };
  return read_list(counters.ignored) && read_list(counters.dead_lettered);
}

void read_counters_v1(ByteReader& in, OutcomeCounters& counters) {
  for (std::uint64_t* count :
       {&counters.records, &counters.applied, &counters.duplicate, &counters.erased})
    *count = in.varint();
  for (std::size_t i = 0; i < kIgnoredReasonsV1; ++i) counters.ignored[i] = in.varint();
  for (std::size_t i = 0; i < kDeadLetterReasonsV1; ++i) counters.dead_lettered[i] = in.varint();
  for (std::uint64_t* count :
       {&counters.late, &counters.invoices_settled, &counters.invoices_rejected,
        &counters.transitions, &counters.suppressed})
    *count = in.varint();
}

absl::Status newer_version() {
  return absl::UnimplementedError(
      "the partition's meta row was written by a newer version: start that one");
}

}  // namespace

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
  std::vector<std::uint64_t> values;
  visit_single(other, [&](std::uint64_t value) { values.push_back(value); });
  std::size_t i = 0;
  visit_single(*this, [&](std::uint64_t& value) { value += values[i++]; });
  for (std::size_t r = 0; r < ignored.size(); ++r) ignored[r] += other.ignored[r];
  for (std::size_t r = 0; r < dead_lettered.size(); ++r) dead_lettered[r] += other.dead_lettered[r];
}

OutcomeCounters OutcomeCounters::since(const OutcomeCounters& before) const {
  OutcomeCounters result = *this;
  std::vector<std::uint64_t> values;
  visit_single(before, [&](std::uint64_t value) { values.push_back(value); });
  std::size_t i = 0;
  visit_single(result, [&](std::uint64_t& value) { value -= values[i++]; });
  for (std::size_t r = 0; r < ignored.size(); ++r) result.ignored[r] -= before.ignored[r];
  for (std::size_t r = 0; r < dead_lettered.size(); ++r)
    result.dead_lettered[r] -= before.dead_lettered[r];
  return result;
}

RecordMark mark_of(const RecordView& record) {
  ByteWriter bytes;
  bytes.byte(record.key ? 1 : 0);
  bytes.string(record.key.value_or(""));
  bytes.byte(record.value ? 1 : 0);
  bytes.string(record.value.value_or(""));
  bytes.signed_varint(record.received_ms);
  return {.offset = record.offset, .hash = record_hash(bytes.take())};
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
  write_counters(out, meta.counters);
  out.signed_varint(meta.last_record.offset);
  out.fixed64(meta.last_record.hash);
  out.byte(meta.ticks_logged ? 1 : 0);
  out.varint(meta.ticks_logged.value_or(0));
  out.signed_varint(to_ms(meta.moving_to));
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
  if (version > kMetaCodecVersion) return newer_version();
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
  if (version == 1) {
    read_counters_v1(in, meta.counters);
    meta.ticks_logged.reset();
  } else {
    if (!read_counters(in, meta.counters)) return newer_version();
    meta.last_record.offset = in.signed_varint();
    meta.last_record.hash = in.fixed64();
    const bool counted = in.byte() != 0;
    const std::uint64_t ticks = in.varint();
    meta.ticks_logged = counted ? std::optional(ticks) : std::nullopt;
    meta.moving_to = from_ms(in.signed_varint());
  }
  meta.application = in.string();
  meta.input_topic = in.string();
  meta.partition_count = static_cast<std::int32_t>(in.signed_varint());
  const std::size_t files = version < 3 ? kFilesOfVersionTwo : meta.file_lengths.size();
  for (std::size_t i = 0; i < files; ++i) meta.file_lengths[i] = in.varint();
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
