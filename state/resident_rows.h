// All customers of one partition, in memory, with what is derived from them: the index of
// deadlines, the cluster statistics, and the set of rows that differ from the store.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "state/advance.h"
#include "state/cluster_totals.h"
#include "state/customer_row.h"

namespace rfm {

class ResidentRows {
 public:
  explicit ResidentRows(const TimeContext& context) : context_(context) {}
  ResidentRows(const ResidentRows&) = delete;
  ResidentRows& operator=(const ResidentRows&) = delete;

  // At start: rows as the store holds them, then `index` over all places.
  void restore(CustomerRow row);
  void forget(std::string_view customer_id);  // Restoring from the changelog: the row is gone.
  // Derives what is derived of the rows in at most `places_max` places from `from` on. Returns
  // where to go on; at `places`: nowhere.
  std::size_t index(EventTime watermark, std::size_t from, std::size_t places_max);

  CustomerRow* find(std::string_view customer_id);
  const CustomerRow* find(std::string_view customer_id) const {
    const auto found = by_id_.find(customer_id);
    return found == by_id_.end() ? nullptr : &slots_[found->second].row;
  }
  // A new row is under the rules in force, `rules`.
  CustomerRow& find_or_add(std::string_view customer_id, const Rules& rules);

  // How far a row is: what `advance` takes as `from`.
  EventTime clock_of(const CustomerRow& row, EventTime watermark) const {
    return row.open ? row.open->row_at : std::max(row.clock, watermark);
  }

  // Every change of a row goes through here, so that the totals, the deadline index and the dirty
  // set follow.
  template <class Change>
  void change(CustomerRow& row, Change&& change_row) {
    const Before before = before_change(row);
    change_row(row);
    changed(row, before);
  }

  // Looks at the earliest deadline, which is due by `until` (`earliest_due`): takes its row there,
  // unless the entry was put off. Rows are up to date to `watermark` before it.
  struct Fired {
    CustomerRow* row = nullptr;             // Null: put off.
    std::optional<SettledInvoice> settled;  // The row's open invoice.
  };
  Fired fire_deadline(EventTime watermark, EventTime until, TransitionBuffer& out);

  // Takes rows over the boundary, all deadlines up to it having been fired: from place `from` on
  // (0: the first) until one changes, `rows_max` have been looked at or none is left. A place means
  // something until a row is added or erased.
  struct Swept {
    std::size_t next = 0;  // Where to go on; at `places`: nowhere.
    CustomerRow* changed = nullptr;
  };
  Swept sweep(const BoundaryStep& step, std::size_t from, std::size_t rows_max,
              TransitionBuffer& out);
  std::size_t places() const { return slots_.size(); }

  // Removes the row; its store record is deleted by the next commit.
  void erase(CustomerRow& row);
  // The same of a row to which nothing was ever applied: all its records were refused.
  void drop_if_empty(CustomerRow& row) {
    if (is_empty(row)) erase(row);
  }
  static bool is_empty(const CustomerRow& row) { return row.birth == 0 && !row.open; }

  // Rows that differ from the store, in order of their first change; absent row: erased. Cleared by
  // `mark_committed`.
  struct Dirty {
    std::string_view customer_id;
    const CustomerRow* row = nullptr;
  };
  std::vector<Dirty> dirty() const;
  std::size_t dirty_count() const { return dirty_.size() + erased_.size(); }
  void mark_committed();

  const ClusterTotals& totals() const { return totals_; }
  std::size_t size() const { return by_id_.size(); }
  // About how many bytes of memory it takes: rows, ledger entries and indexes, without long texts.
  std::size_t bytes() const;
  // Deadline or settlement of the earliest due row; a lower bound.
  EventTime earliest_due() const { return due_.empty() ? kNever : due_.top().at; }

  // In no particular order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    visit_places(0, slots_.size(), visit);
  }
  // Those in at most `places_max` places from `from` on. Returns where to go on; at `places`:
  // nowhere.
  template <class Visit>
  std::size_t visit_places(std::size_t from, std::size_t places_max, Visit&& visit) const {
    const std::size_t end = from + std::min(places_max, slots_.size() - from);
    for (std::size_t slot = from; slot < end; ++slot) {
      if (slots_[slot].used) visit(slots_[slot].row);
    }
    return end;
  }

 private:
  static constexpr std::uint32_t kClean = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t kErased = std::numeric_limits<std::size_t>::max();

  struct alignas(64) Slot {        // A sweep reads the first two cache lines.
    EventTime scheduled = kNever;  // Its one valid entry in due_.
    bool used = false;
    std::uint32_t dirty_at = kClean;  // Place in dirty_.
    CustomerRow row;
  };
  struct Due {
    EventTime at{};
    std::size_t slot = 0;

    friend bool operator>(const Due& a, const Due& b) {
      return std::tie(a.at, a.slot) > std::tie(b.at, b.slot);
    }
  };

  // What is known of a row elsewhere, and follows when it changes.
  struct Before {
    TotalsKey totals;
    std::size_t ledger_entries = 0;
  };
  static Before before_change(const CustomerRow& row) {
    return {.totals = totals_key(row), .ledger_entries = row.ledger.entries().size()};
  }

  CustomerRow& add(CustomerRow row);
  EventTime due_of(const CustomerRow& row) const;
  void schedule(std::size_t slot);
  void changed(CustomerRow& row, const Before& before);
  void release(std::size_t slot);

  TimeContext context_;
  std::deque<Slot> slots_;  // Rows do not move.
  std::vector<std::size_t> free_;
  absl::flat_hash_map<std::string_view, std::size_t> by_id_;  // Keys are views of the rows' ids.
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  ClusterTotals totals_;
  std::size_t ledger_entries_ = 0;  // Of all rows.
  std::vector<std::size_t> dirty_;  // kErased: not any more.
  std::vector<std::string> erased_;
};

}  // namespace rfm
