// A lane's start with a partition: from the store and the changelog to rows in memory.
#include <fmt/format.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "state/row_codec.h"
#include "stream/pipeline/lane.h"
#include "stream/pipeline/lane_work.h"

namespace rfm {

absl::StatusOr<Offset> Lane::restore(const PartitionOptions& options, const CatchUp& catch_up) {
  const absl::Status synced = sync_model();
  if (!synced.ok()) return synced;
  auto work = std::make_unique<Work>(options, rules_, models_);
  Work& w = *work;
  const PartitionId id = options.partition;
  w.output = {
      .transition = [this, &w](const Transition& t,
                               const PartitionMeta& meta) { write_transition(t, meta, w); },
      .dead_letter = [this, id](const RecordView& record,
                                const Rejection& r) { output_.dead_letter(record, r, id); },
      .rejected_invoice =
          [this, id](const CustomerRow& row, const SettledInvoice& settled) {
            output_.rejected_invoice(row, settled, id);
          },
      .erased = [this](std::string_view customer,
                       const CustomerRow* row) { output_.erased(customer, row); },
      .started = [this,
                  id](std::int64_t boundary) { parts_.trainer.partition_started(id, boundary); },
      .contribution = [this, &w](const Contribution& c) { write_contribution(c, w); },
  };
  PartitionMeta& meta = w.partition.meta();
  ResidentRows& rows = w.partition.rows();
  const auto restore_row = [&](std::string_view customer, std::string_view bytes) {
    absl::StatusOr<CustomerRow> row = decode_row(customer, bytes, rules_);
    if (!row.ok()) return row.status();
    rows.restore(*std::move(row));
    return absl::OkStatus();
  };
  absl::StatusOr<std::optional<PartitionMeta>> stored = read_meta(parts_.store, id);
  if (!stored.ok()) return stored.status();
  if (*stored) meta = **std::move(stored);
  const absl::Status read = parts_.store.scan(StoreKind::kRow, id, restore_row);
  if (!read.ok()) return read;
  if (const absl::Status ours = check_identity(meta); !ours.ok()) return ours;
  if (catch_up) {
    std::map<std::pair<StoreKind, std::string>, std::optional<std::string>> newer;
    const Apply apply = [&](std::string_view key,
                            std::optional<std::string_view> value) -> absl::Status {
      if (key.empty()) return absl::DataLossError("changelog: a record has an empty key");
      const std::string_view rest = key.substr(1);
      if (key.front() == kChangelogMeta) {
        if (!value) return absl::DataLossError("changelog: the meta row was deleted");
        newer[{StoreKind::kMeta, ""}] = std::string(*value);
        absl::StatusOr<PartitionMeta> logged = decode_meta(*value);
        if (!logged.ok()) return logged.status();
        meta = *std::move(logged);
        return absl::OkStatus();
      }
      newer[{StoreKind::kRow, std::string(rest)}] =
          value ? std::optional<std::string>(*value) : std::nullopt;
      if (value) return restore_row(rest, *value);
      rows.forget(rest);
      return absl::OkStatus();
    };
    const absl::StatusOr<Offset> next = catch_up(meta.changelog_next, apply);
    if (!next.ok()) return next.status();
    if (const absl::Status ours = check_identity(meta); !ours.ok()) return ours;
    meta.changelog_next = *next;
    if (!newer.empty()) {
      newer[{StoreKind::kMeta, ""}] = encode_meta(meta);
      std::vector<StoreWrite> writes;
      for (auto& [key, value] : newer)
        writes.push_back({key.first, id, key.second, std::move(value)});
      const absl::Status written = parts_.store.write(writes);
      if (!written.ok()) return written;
    }
  }
  meta.application = options_.application;
  meta.input_topic = options_.input_topic;
  meta.partition_count = options_.partition_count;
  if (meta.input_mark == 0) meta.input_mark = options_.input_mark;
  w.partition.finish_restore();
  w.logged_tick = meta.watermark;
  w.last_read = parts_.clock.steady();
  if (meta.started) parts_.trainer.partition_started(id, meta.first_boundary);
  const Offset next_offset = meta.next_offset;
  work_.push_back(std::move(work));
  return next_offset;
}

absl::Status Lane::check_identity(const PartitionMeta& meta) const {
  if (meta.application.empty()) return absl::OkStatus();
  if (meta.application != options_.application || meta.input_topic != options_.input_topic ||
      meta.partition_count != options_.partition_count) {
    return absl::FailedPreconditionError(fmt::format(
        "the state belongs to application {}, topic {} with {} partitions, not to {}, {} with {}: "
        "use another state directory, and another app.name for another topic",
        meta.application, meta.input_topic, meta.partition_count, options_.application,
        options_.input_topic, options_.partition_count));
  }
  const bool marks_known = meta.input_mark != 0 && options_.input_mark != 0;
  if (!marks_known || meta.input_mark == options_.input_mark) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the state was made from an input that begins with another record: go on with that one, "
      "which may have grown at its end, or use another state directory");
}

}  // namespace rfm
