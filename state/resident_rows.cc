#include "state/resident_rows.h"

#include <utility>

#include "state/hashes.h"

namespace rfm {

void ResidentRows::restore(CustomerRow row) {
  forget(row.id);
  add(std::move(row));
}

void ResidentRows::forget(std::string_view customer_id) {
  const auto found = by_id_.find(customer_id);
  if (found != by_id_.end()) release(found->second);
}

std::size_t ResidentRows::index(EventTime watermark, std::size_t from, std::size_t places_max) {
  const std::size_t end = from + std::min(places_max, slots_.size() - from);
  for (std::size_t slot = from; slot < end; ++slot) {
    if (!slots_[slot].used) continue;
    CustomerRow& row = slots_[slot].row;
    rebuild_cache(row, clock_of(row, watermark), context_);
    totals_.move({}, totals_key(row));
    schedule(slot);
  }
  return end;
}

CustomerRow* ResidentRows::find(std::string_view customer_id) {
  const auto found = by_id_.find(customer_id);
  return found == by_id_.end() ? nullptr : &slots_[found->second].row;
}

CustomerRow& ResidentRows::find_or_add(std::string_view customer_id, const Rules& rules) {
  if (CustomerRow* row = find(customer_id)) return *row;
  CustomerRow row;
  row.id = customer_id;
  row.id_hash = customer_hash(customer_id);
  row.rules = static_cast<std::uint32_t>(rules.version);
  row.segments.resize(rules.segmentations.size());
  return add(std::move(row));
}

CustomerRow& ResidentRows::add(CustomerRow row) {
  std::size_t slot = slots_.size();
  if (free_.empty()) {
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  ledger_entries_ += row.ledger.entries().size();
  slots_[slot].row = std::move(row);
  slots_[slot].used = true;
  by_id_.emplace(slots_[slot].row.id, slot);
  return slots_[slot].row;
}

void ResidentRows::release(std::size_t slot) {
  ledger_entries_ -= slots_[slot].row.ledger.entries().size();
  by_id_.erase(std::string_view(slots_[slot].row.id));
  slots_[slot] = Slot{};  // Entries of due_ for it are stale now: `scheduled` says so.
  free_.push_back(slot);
}

EventTime ResidentRows::due_of(const CustomerRow& row) const {
  return row.open ? row.open->last_line + context_.rules.settle : row.cache.deadline;
}

// An entry that comes too early is put off when it is reached; so only a date earlier than the
// entry needs a new one.
void ResidentRows::schedule(std::size_t slot) {
  const EventTime due = due_of(slots_[slot].row);
  if (due >= slots_[slot].scheduled) return;
  slots_[slot].scheduled = due;
  due_.push({due, slot});
}

std::size_t ResidentRows::bytes() const {
  return slots_.size() * sizeof(Slot) + ledger_entries_ * sizeof(LedgerEntry) +
         by_id_.capacity() * (sizeof(decltype(by_id_)::value_type) + 1) +
         due_.size() * sizeof(Due) + (free_.capacity() + dirty_.capacity()) * sizeof(std::size_t);
}

void ResidentRows::changed(CustomerRow& row, const Before& before) {
  totals_.move(before.totals, totals_key(row));
  ledger_entries_ += row.ledger.entries().size() - before.ledger_entries;  // May wrap on the way.
  const std::size_t slot = by_id_.find(row.id)->second;
  schedule(slot);
  if (slots_[slot].dirty_at != kClean) return;
  slots_[slot].dirty_at = static_cast<std::uint32_t>(dirty_.size());
  dirty_.push_back(slot);
}

ResidentRows::Fired ResidentRows::fire_deadline(EventTime watermark, EventTime until,
                                                TransitionBuffer& out) {
  const auto [at, slot] = due_.top();
  due_.pop();
  if (slots_[slot].scheduled != at) return {};
  slots_[slot].scheduled = kNever;
  CustomerRow& row = slots_[slot].row;
  if (due_of(row) > until) {
    schedule(slot);
    return {};
  }
  Fired fired{.row = &row, .settled = std::nullopt};
  change(row, [&](CustomerRow& changing) {
    if (changing.open) {
      fired.settled = settle_open_invoice(changing, until, context_, out);
    } else {
      advance(changing, std::max(changing.clock, watermark), until, context_, out);
    }
  });
  return fired;
}

ResidentRows::Swept ResidentRows::sweep(const BoundaryStep& step, std::size_t from,
                                        std::size_t rows_max, TransitionBuffer& out) {
  const EventTime just_before = step.boundary - Duration{1};
  const std::size_t end = from + std::min(rows_max, slots_.size() - from);
  for (std::size_t slot = from; slot < end; ++slot) {
    CustomerRow& row = slots_[slot].row;
    // A row with an open invoice waits for it; one that an event has carried past the boundary has
    // crossed it.
    if (!slots_[slot].used || row.open || row.clock >= step.boundary ||
        is_quiet_at(row, step, context_.rules))
      continue;
    const Before before = before_change(row);
    advance(row, just_before, step.boundary, context_, out);
    if (row.clock < step.boundary) {  // Nothing that is stored has changed.
      schedule(slot);
      continue;
    }
    changed(row, before);
    if (out.empty()) continue;
    return {.next = slot + 1, .changed = &row};
  }
  return {.next = end};
}

void ResidentRows::erase(CustomerRow& row) {
  const std::size_t slot = by_id_.find(row.id)->second;
  totals_.move(totals_key(row), {});
  erased_.push_back(row.id);
  if (slots_[slot].dirty_at != kClean) dirty_[slots_[slot].dirty_at] = kErased;
  release(slot);
}

std::vector<ResidentRows::Dirty> ResidentRows::dirty() const {
  std::vector<Dirty> result;
  result.reserve(dirty_count());
  for (const std::string& id : erased_) {
    if (!by_id_.contains(id)) result.push_back({.customer_id = id});
  }
  for (const std::size_t slot : dirty_) {
    if (slot != kErased)
      result.push_back({.customer_id = slots_[slot].row.id, .row = &slots_[slot].row});
  }
  return result;
}

void ResidentRows::mark_committed() {
  for (const std::size_t slot : dirty_) {
    if (slot != kErased) slots_[slot].dirty_at = kClean;
  }
  dirty_.clear();
  erased_.clear();
}

}  // namespace rfm
