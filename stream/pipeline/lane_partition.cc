#include "stream/pipeline/lane_partition.h"

#include <algorithm>
#include <string>
#include <utility>

#include "state/epoch.h"
#include "stream/format/changelog_codec.h"
#include "stream/format/contribution_codec.h"
#include "stream/format/tick.h"
#include "stream/pipeline/dead_letter_watch.h"

namespace rfm {

LanePartition::LanePartition(const PartitionOptions& options, const Shared& shared)
    : partition(options, shared.rules, shared.models, *this, &shared.store), shared_(shared) {}

void LanePartition::log_tick(EventTime to) {
  logged_tick = to;
  log_choice({.offset = meta().next_offset, .time = to});
}

void LanePartition::log_choice(const Tick& tick) {
  chose_ = true;
  if (!shared_.output.keeps(OutputTopic::kTicks)) return;
  if (meta().ticks_logged) ++*meta().ticks_logged;
  shared_.output.append(OutputTopic::kTicks, id(), std::nullopt, encode_tick(tick), {});
}

void LanePartition::log_clock() {
  if (meta().max_event_time == kBeforeAll) return;
  const EventTime explained = std::max(meta().max_event_time - shared_.rules.lateness, logged_tick);
  const EventTime reached = std::max(meta().watermark, meta().moving_to);
  if (reached > explained) log_tick(reached);
}

std::size_t LanePartition::append_state(std::vector<StoreWrite>& writes) {
  LaneOutput& output = shared_.output;
  const bool logged = output.keeps(OutputTopic::kChangelog);
  std::size_t changelog_records = 0;
  const auto log = [&](const StoreWrite& write) {
    if (!logged) return;
    output.append(OutputTopic::kChangelog, id(), changelog_key(write), write.value, {});
    ++changelog_records;
  };
  const std::size_t begin = writes.size();
  writes.reserve(begin + dirty_count() + 1);
  for (const ResidentRows::Dirty& dirty : partition.rows().dirty())
    writes.push_back(row_write(id(), dirty.customer_id, dirty.row));
  partition.books().append(id(), writes);
  for (std::size_t i = begin; i < writes.size(); ++i) log(writes[i]);
  log(meta_write(id(), meta()));
  for (const Contribution& contribution : contributions_) {
    for (ContributionChunk& chunk : encode_contribution(id(), contribution)) {
      if (output.keeps(OutputTopic::kContributions)) {
        output.append(OutputTopic::kContributions, id(), chunk.key, chunk.value, {});
      } else {
        writes.push_back(
            {StoreKind::kContribution, id(), std::move(chunk.key), std::move(chunk.value)});
      }
    }
  }
  return changelog_records;
}

void LanePartition::mark_committed() {
  partition.rows().mark_committed();
  partition.books().mark_committed();
  tell_trainer();
  contributions_.clear();
  told_ = 0;
  chose_ = false;
}

void LanePartition::on_transition(const Transition& transition, const PartitionMeta& /*meta*/) {
  shared_.output.transition(transition, partition.transition_context());
  if (observer != nullptr) observer->on_transition(transition);
}

void LanePartition::on_rules_adopted(const CustomerRow& row, const CustomerFacts& facts) {
  shared_.output.rules_adopted(row, facts);
}

void LanePartition::on_dead_letter(const RecordView& record, const Rejection& rejection) {
  last_dead_letter = example_of(id(), record, rejection);
  dead_letters[static_cast<std::size_t>(rejection.reason)] = {id(), record.offset};
  shared_.output.dead_letter(record, rejection, id());
}

void LanePartition::on_rejected_invoice(const CustomerRow& row, const SettledInvoice& settled) {
  shared_.output.rejected_invoice(row, settled, id());
}

void LanePartition::on_new_customer(const CustomerRow& row) {
  if (shared_.places != nullptr) shared_.places->add(row, id());
}

void LanePartition::on_erased(const Erasure& erasure) {
  if (shared_.places != nullptr && erasure.row != nullptr)
    shared_.places->erase(erasure.row->id_hash, id());
  shared_.output.erased(erasure);
}

void LanePartition::on_started(std::int64_t first_boundary) {
  shared_.trainer.partition_started(id(), first_boundary);
}

void LanePartition::on_contribution(const Contribution& contribution) {
  if (partition.contributes_idle() && !partition.follows_ticks())
    log_choice({.offset = meta().next_offset, .contributes = contribution.epoch});
  contributions_.push_back(contribution);
  if (!chose_) tell_trainer();
  if (observer != nullptr) observer->on_contribution(contribution);
}

void LanePartition::tell_trainer() {
  for (; told_ < contributions_.size(); ++told_)
    shared_.trainer.contribute(id(), contributions_[told_]);
}

}  // namespace rfm
