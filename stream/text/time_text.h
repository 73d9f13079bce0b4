// Event times as text: RFC 3339, the forms in which Online Retail is distributed, and the dates of
// spreadsheets.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "state/event_time.h"

namespace rfm {

// Times that are accepted: from 1970-01-01 (inclusive) to 2200-01-01 (exclusive).
inline constexpr EventTime kEarliestEventTime = from_ms(0);
inline constexpr EventTime kLatestEventTime = from_ms(7'258'118'400'000);

// What stands first in a date of three numbers. A year of four digits that is first needs no order.
enum class DateOrder : std::uint8_t {
  kUnstated,  // Month first; a date that cannot be, or one with dots, is refused.
  kMonth,
  kDay,  // Then the month.
  kYear,
};

// Reads times; remembers the last date, since neighbours in a log share it.
class TimeReader {
 public:
  // `utc_offset` is that of times without zone: local time = UTC + utc_offset.
  explicit TimeReader(std::chrono::minutes utc_offset) : utc_offset_(utc_offset) {}

  // Reads what spreadsheets write, too: three numbers between '/', '.' or '-' in this order, years
  // of two digits (20yy), and perhaps a time of day `H:MM` or `H:MM:SS` with AM or PM or neither. A
  // date alone is its midnight.
  TimeReader(std::chrono::minutes utc_offset, DateOrder order)
      : utc_offset_(utc_offset), sheet_order_(order) {}

  // `YYYY-MM-DD`, then `T`, `t` or one space, `HH:MM`, optionally `:SS` and a fraction of any
  // length (cut off after milliseconds), optionally `Z`, `z`, `+-HH:MM` or `+-HHMM`; or `M/D/YYYY
  // H:MM` with optional `:SS`. Proleptic Gregorian calendar; second 60 is the next minute's first,
  // where it ends a UTC day. Absent: another form or out of range.
  std::optional<EventTime> read(std::string_view text);

  // Whether `text`, which `read` refuses, is a date that it would take if its order was stated.
  bool lacks_order(std::string_view text) const;

 private:
  std::optional<std::int64_t> read_date(std::string_view text);
  std::optional<EventTime> read_event(std::string_view text);
  std::optional<EventTime> read_sheet(std::string_view text, DateOrder order) const;

  std::chrono::minutes utc_offset_;
  std::optional<DateOrder> sheet_order_;
  std::uint64_t cached_date_low_ =
      0;  // The first eight and the next two characters of `YYYY-MM-DD`.
  std::uint16_t cached_date_high_ = 0;  // 0: nothing is cached.
  std::int64_t cached_day_ = 0;         // Days since 1970-01-01.
};

// The time that a spreadsheet shows for a day number ("40513.35139", days since 1899-12-30), to the
// second; absent: no number of a day from 1950 to 2119.
std::optional<EventTime> read_day_number(std::string_view text);

// "2010-12-01T08:26:00.000Z". Times outside of the years 0000 to 9999 are shown as the nearest time
// inside.
class Rfc3339Text {
 public:
  explicit Rfc3339Text(EventTime time);
  std::string_view view() const { return {text_.data(), text_.size()}; }
  std::string_view date() const { return view().substr(0, 10); }  // "2010-12-01"

 private:
  std::array<char, 24> text_;
};
std::string to_rfc3339(EventTime time);

// "2010-12-01", UTC.
std::string to_date(EventTime time);

// "2010-12-01 08:26:00", UTC, as in Online Retail. Milliseconds are cut off.
std::string to_uci(EventTime time);

}  // namespace rfm
