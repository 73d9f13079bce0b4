#include "state/moves_book.h"

#include <algorithm>
#include <ranges>

#include "state/book_key.h"
#include "state/byte_codec.h"
#include "state/epoch.h"
#include "state/evaluation.h"

namespace rfm {
namespace {

// First bytes of keys, none of which is one of sales_book.cc.
constexpr char kStock = 's';
constexpr char kFlow = 'f';

// Of a history that is longer the oldest moves are forgotten.
constexpr std::size_t kHistoryBytesMax = 4'096;
constexpr std::size_t kHistoryBytesKept = 3'072;

std::uint8_t flags_of(Reason reason, bool is_actionable) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(reason) << 1 |
                                   static_cast<unsigned>(is_actionable));
}
bool read_flags(std::uint8_t flags, Reason& reason, bool& is_actionable) {
  is_actionable = (flags & 1) != 0;
  reason = static_cast<Reason>(flags >> 1);
  return flags >> 1 < kReasonCount;
}

void write_move(const PastMove& move, std::string& history) {
  ByteWriter out;
  out.varint(static_cast<std::uint64_t>(move.day));
  out.varint(move.segmentation);
  out.varint(move.to);
  out.byte(flags_of(move.reason, move.is_actionable));
  history += out.take();
}

void trim(std::string& history) {
  if (history.size() <= kHistoryBytesMax) return;
  std::string kept;
  const std::vector<PastMove> moves = past_moves(history);
  const std::size_t skipped = moves.size() - moves.size() * kHistoryBytesKept / kHistoryBytesMax;
  for (std::size_t i = skipped; i < moves.size(); ++i) write_move(moves[i], kept);
  history = std::move(kept);
}

}  // namespace

void note_day_end(const CustomerRow& row, EventTime boundary, const Rules& rules,
                  TransitionBuffer& out) {
  const Money money = monetary_of(row.ledger.sums(), rules);
  if (row.booked && *row.booked != money.units)
    out.day_ends.push_back({epoch_of(boundary) - 1, money, out.transitions.size()});
}

void MovesBook::add_stock(std::int64_t day, Place place, std::int64_t customers,
                          std::int64_t money) {
  constexpr int kIdBits = 32;
  Dated& stock = stocks_[std::uint64_t{place.segmentation} << kIdBits | place.segment];
  if (stock.day != day) {
    ByteWriter out;
    out.varint(place.segmentation);
    out.varint(place.segment);
    start_key(key_, kStock, day);
    key_ += out.take();
    stock = {day, &book_.at(key_)};
  }
  book_.add(*stock.place, {customers, money});
}

void MovesBook::add_flow(std::int64_t day, const Flow& flow, std::int64_t money) {
  Dated& dated = flows_[flow];
  if (dated.day != day) {
    ByteWriter out;
    out.varint(flow.segmentation);
    out.varint(flow.from);
    out.varint(flow.to);
    out.byte(flags_of(flow.reason, flow.is_actionable));
    start_key(key_, kFlow, day);
    key_ += out.take();
    dated = {day, &book_.at(key_)};
  }
  book_.add(*dated.place, {1, money});
}

// Money is booked where it was booked last and moves along with the customer; what is between that
// and what it is at the end of a day, or now, is booked then, where he is.
void MovesBook::book(CustomerRow& row, const Rules& rules, std::span<const BookedMove> moves,
                     std::span<const TransitionBuffer::DayEnd> ends) {
  const Money money = monetary_of(row.ledger.sums(), rules);
  if (moves.empty() && ends.empty() && row.booked == money.units) return;
  if (row.clock == kBeforeAll) return;  // His first invoice was refused.
  moved_.clear();
  std::size_t done = 0;
  const auto move_up_to = [&](std::size_t count) {
    for (; done < count; ++done) book_move(row, moves[done]);
  };
  for (const TransitionBuffer::DayEnd& end : ends) {
    move_up_to(end.transitions);
    book_money(row, rules, end, moves.subspan(done));
  }
  move_up_to(moves.size());
  book_money(row, rules, {.day = epoch_of(row.clock), .money = money}, {});
  row.booked = money.units;
}

// In each segmentation: in the segment that he leaves next, or is in now.
void MovesBook::book_money(const CustomerRow& row, const Rules& rules,
                           const TransitionBuffer::DayEnd& end, std::span<const BookedMove> later) {
  places_.clear();
  for (std::size_t s = 0; s < row.segments.size(); ++s) {
    if (const SegmentCode code = row.segments[s].segment; code != kNoSegmentCode)
      places_.push_back(names_.place_of(rules, s, code));
  }
  for (const BookedMove& move : later | std::views::reverse) {
    const Transition& transition = *move.transition;
    const std::uint32_t segmentation =
        names_.place_of(*transition.rules, transition.segmentation, transition.to).segmentation;
    std::erase_if(places_, [&](const Place& p) { return p.segmentation == segmentation; });
    if (transition.from != kNoSegmentCode) places_.push_back({segmentation, from_of(transition)});
  }
  for (const Place& place : places_) book_money(row, place, end);
}

void MovesBook::book_money(const CustomerRow& row, Place place,
                           const TransitionBuffer::DayEnd& end) {
  const std::int64_t money = end.money.units;
  const auto moved = std::ranges::find(moved_, place.segmentation, &Moved::segmentation);
  if (moved == moved_.end() && !row.booked) return add_stock(end.day, place, 1, money);
  const std::int64_t last = moved != moved_.end() ? moved->money : *row.booked;
  if (money == last) return;
  add_stock(end.day, place, 0, money - last);
  if (moved != moved_.end()) {
    moved->money = money;
  } else {
    moved_.push_back({place.segmentation, money});
  }
}

void MovesBook::book_move(CustomerRow& row, const BookedMove& move) {
  const Transition& transition = *move.transition;
  const Place to = names_.place_of(*transition.rules, transition.segmentation, transition.to);
  const std::int64_t day = epoch_of(transition.effective_at());
  const Flow flow{.segmentation = to.segmentation,
                  .from = from_of(transition),
                  .to = to.segment,
                  .reason = transition.reason,
                  .is_actionable = move.is_actionable};
  const std::int64_t money = transition.after.monetary.units;
  auto moved = std::ranges::find(moved_, flow.segmentation, &Moved::segmentation);
  const bool was_counted = moved != moved_.end() || row.booked;
  if (moved == moved_.end())
    moved = moved_.insert(moved_.end(), {flow.segmentation, row.booked.value_or(0)});
  if (was_counted && transition.from != kNoSegmentCode)
    add_stock(day, {flow.segmentation, flow.from}, -1, -moved->money);
  if (transition.to != kNoSegmentCode) add_stock(day, {flow.segmentation, flow.to}, 1, money);
  moved->money = money;
  add_flow(day, flow, money);
  write_move({.day = day,
              .segmentation = flow.segmentation,
              .to = flow.to,
              .reason = flow.reason,
              .is_actionable = flow.is_actionable},
             row.history);
  trim(row.history);
}

// What a segment is left from may be of other rules, with the same name of the segmentation.
std::uint32_t MovesBook::from_of(const Transition& transition) {
  if (transition.from_in == nullptr)
    return names_.place_of(*transition.rules, transition.segmentation, transition.from).segment;
  return names_.id_of(segment_info(*transition.from_in, transition.from).name);
}

std::optional<MovesCell> moves_cell(std::string_view key) {
  if (key.size() < kNumberedSize || (key.front() != kStock && key.front() != kFlow))
    return std::nullopt;
  MovesCell cell{.kind = key.front() == kStock ? MovesCell::Kind::kStock : MovesCell::Kind::kFlow,
                 .day = number_of(key)};
  ByteReader in(key.substr(kNumberedSize));
  cell.segmentation = static_cast<std::uint32_t>(in.varint());
  if (cell.kind == MovesCell::Kind::kFlow) cell.from = static_cast<std::uint32_t>(in.varint());
  cell.to = static_cast<std::uint32_t>(in.varint());
  bool is_known = true;
  if (cell.kind == MovesCell::Kind::kFlow)
    is_known = read_flags(in.byte(), cell.reason, cell.is_actionable);
  if (!in.ok() || !in.at_end() || !is_known) return std::nullopt;
  return cell;
}

std::vector<PastMove> past_moves(std::string_view history) {
  std::vector<PastMove> moves;
  ByteReader in(history);
  while (!in.at_end()) {
    PastMove move{.day = static_cast<std::int64_t>(in.varint())};
    move.segmentation = static_cast<std::uint32_t>(in.varint());
    move.to = static_cast<std::uint32_t>(in.varint());
    if (!read_flags(in.byte(), move.reason, move.is_actionable) || !in.ok()) break;
    moves.push_back(move);
  }
  return moves;
}

}  // namespace rfm
