#include "stream/run/rules_trial.h"

#include <algorithm>
#include <bit>

#include "state/damping.h"
#include "state/rules_change.h"
#include "stream/analyse/money_sum.h"

namespace rfm {
namespace {

// What other rules are tried on.
CustomerRow copy_of(const CustomerRow& row) {
  CustomerRow copy;
  copy.clock = row.clock;
  copy.cache = row.cache;
  copy.id = row.id;
  copy.id_hash = row.id_hash;
  copy.birth = row.birth;
  copy.ledger = row.ledger;
  copy.country = row.country;
  copy.consent = row.consent;
  copy.segments = row.segments;
  copy.quiet_until = row.quiet_until;
  if (row.cooldowns) copy.cooldowns = std::make_unique<std::vector<Cooldown>>(*row.cooldowns);
  copy.member = row.member;
  copy.rules = row.rules;
  if (row.dropped) {
    copy.dropped = std::make_unique<std::vector<DroppedSegmentation>>(*row.dropped);
  }
  return copy;
}

// The models alone: `models` outlives them.
ModelTimeline without_rules(const ModelTimeline& models) {
  ModelTimeline alone;
  alone.start_at(models.start_epoch());
  for (std::int64_t epoch = models.start_epoch(); epoch <= models.trained_through(); ++epoch) {
    const ModelVersion* const version = models.effective_in(epoch + 1);
    if (version->trained_epoch == epoch) {
      alone.append({std::shared_ptr<const void>(), version});
      continue;
    }
    ModelVersion unchanged;
    unchanged.trained_epoch = epoch;
    unchanged.unchanged = true;
    alone.append(std::make_shared<const ModelVersion>(unchanged));
  }
  return alone;
}

}  // namespace

RulesTrial::RulesTrial(const Rules& now, std::shared_ptr<const Rules> rules)
    : rules_(std::move(rules)) {
  for (const Rules* each : {&now, rules_.get()})
    for (const Segmentation& segmentation : each->segmentations.all())
      segmentations_[segmentation.name()];
}

void RulesTrial::add(const CustomerRow& row, const CustomerFacts& facts, const Rules& row_rules) {
  reach(facts.at);
  if (facts.frequency == 0) return;
  ++customers_;
  CustomerRow tried = copy_of(row);
  adopt_rules(tried, facts, facts, row_rules, *rules_, buffer_);
  for (const Transition& t : buffer_.transitions) {
    const Segmentation& segmentation = t.rules->segmentations[t.segmentation];
    Moves& moves = segmentations_[segmentation.name()];
    Move& move = moves.by_segments[{segment_info(*t.from_in, t.from).name,
                                    segment_info(segmentation, t.to).name}];
    ++moves.customers;
    add_to(move.monetary, facts.monetary);
    // The 1st, 2nd, 4th, 8th...: in order of id the first ones would be alike.
    if (std::has_single_bit(++move.customers)) move.examples.push_back(row.id);
    if (move.examples.size() > kExamplesMax) move.examples.erase(move.examples.begin());
  }
  if (!buffer_.transitions.empty()) ++moved_;
  buffer_.clear();
  if (sample_.size() < kSampleMax || row.id_hash < sample_.front().id_hash)
    put({.id_hash = row.id_hash, .at = facts.at, .invoices = row.ledger.invoices()});
}

void RulesTrial::put(RehearsedCustomer customer) {
  sample_.push_back(std::move(customer));
  std::ranges::push_heap(sample_, {}, &RehearsedCustomer::id_hash);
  if (sample_.size() <= kSampleMax) return;
  std::ranges::pop_heap(sample_, {}, &RehearsedCustomer::id_hash);
  sample_.pop_back();
}

RulesTrial::Rate RulesTrial::transitions_per_day(const Rules& now,
                                                 const ModelTimeline& models) const {
  if (sample_.empty() || !models.started()) return {};
  const ModelTimeline alone = without_rules(models);
  Rate sums{.sampled = sample_.size()};
  for (const RehearsedCustomer& customer : sample_) {
    sums.now += static_cast<double>(rehearse(customer, now, alone));
    sums.then += static_cast<double>(rehearse(customer, *rules_, alone));
  }
  const double each = static_cast<double>(customers_) / static_cast<double>(sample_.size()) /
                      static_cast<double>(kRehearsedDays);
  return {.now = sums.now * each, .then = sums.then * each, .sampled = sums.sampled};
}

void RulesTrial::merge(const RulesTrial& other) {
  reach(other.as_of_);
  customers_ += other.customers_;
  moved_ += other.moved_;
  for (const RehearsedCustomer& customer : other.sample_) put(customer);
  for (const auto& [name, theirs] : other.segmentations_) {
    Moves& moves = segmentations_[name];
    moves.customers += theirs.customers;
    for (const auto& [places, theirs_of] : theirs.by_segments) {
      Move& move = moves.by_segments[places];
      move.customers += theirs_of.customers;
      add_to(move.monetary, theirs_of.monetary);
      for (const std::string& id : theirs_of.examples) {
        if (move.examples.size() < kExamplesMax) move.examples.push_back(id);
      }
    }
  }
}

absl::StatusOr<RulesTrial> try_rules(const StateSnapshot& snapshot,
                                     std::shared_ptr<const Rules> rules) {
  RulesTrial trial(snapshot.rules().newest_rules(), std::move(rules));
  const TimeContext logs = snapshot.logs();
  const absl::Status visited =
      snapshot.for_each([&](const PartitionSnapshot& partition, const CustomerRow& row) {
        trial.add(row, snapshot.facts_at_clock(row, partition.meta), logs.rules_of(row));
        return absl::OkStatus();
      });
  if (!visited.ok()) return visited;
  return trial;
}

}  // namespace rfm
