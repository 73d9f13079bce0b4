#include "stream/text/time_text.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

namespace rfm {
namespace {

constexpr std::int64_t kMsPerSecond = 1'000;
constexpr std::int64_t kMsPerMinute = 60 * kMsPerSecond;
constexpr std::int64_t kMsPerHour = 60 * kMsPerMinute;
constexpr std::int64_t kMsPerDay = 24 * kMsPerHour;
constexpr std::size_t kDateSize = 10;   // YYYY-MM-DD
constexpr std::size_t kPlainSize = 19;  // YYYY-MM-DDTHH:MM:SS

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads a text from its front. Once something is not there, `ok` stays false.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool ok() const { return ok_; }
  bool done() const { return ok_ && rest_.empty(); }
  std::size_t size() const { return rest_.size(); }

  void skip(char expected) {
    if (rest_.empty() || rest_.front() != expected) {
      ok_ = false;
      return;
    }
    rest_.remove_prefix(1);
  }

  bool skip_if(char expected) {
    if (rest_.empty() || rest_.front() != expected) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // A number of at least `digits_min` and at most `digits_max` digits.
  int number(std::size_t digits_min, std::size_t digits_max) {
    int value = 0;
    std::size_t count = 0;
    while (count < digits_max && count < rest_.size() && is_digit(rest_[count])) {
      value = value * 10 + (rest_[count++] - '0');
    }
    if (count < digits_min) ok_ = false;
    rest_.remove_prefix(count);
    return value;
  }

  // The digits after a decimal point, as milliseconds.
  int fraction_ms() {
    int value = 0;
    std::size_t count = 0;
    for (; count < rest_.size() && is_digit(rest_[count]); ++count) {
      if (count < 3) value = value * 10 + (rest_[count] - '0');
    }
    if (count == 0) ok_ = false;
    for (std::size_t i = count; i < 3; ++i) value *= 10;
    rest_.remove_prefix(count);
    return value;
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

std::optional<std::int64_t> day_of(int year, int month, int day) {
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date}.time_since_epoch().count();
}

struct TimeOfDay {
  std::int64_t minute_ms = 0;  // Since midnight, without seconds.
  std::int64_t second = 0;     // 0 to 60.
  std::int64_t ms = 0;
};

enum class HourDigits : std::uint8_t { kTwo, kOneOrTwo };

std::optional<TimeOfDay> read_time_of_day(Reader& reader, HourDigits hour_digits) {
  const int hour = reader.number(hour_digits == HourDigits::kTwo ? 2 : 1, 2);
  reader.skip(':');
  const int minute = reader.number(2, 2);
  TimeOfDay time;
  if (reader.skip_if(':')) {
    time.second = reader.number(2, 2);
    if (reader.skip_if('.')) time.ms = reader.fraction_ms();
  }
  if (!reader.ok() || hour > 23 || minute > 59 || time.second > 60) return std::nullopt;
  time.minute_ms = hour * kMsPerHour + minute * kMsPerMinute;
  return time;
}

// "8:26", "08:26:30", "8:26 PM".
std::optional<TimeOfDay> read_sheet_time_of_day(Reader& reader) {
  std::optional<TimeOfDay> time = read_time_of_day(reader, HourDigits::kOneOrTwo);
  if (!time || reader.done()) return time;
  reader.skip_if(' ');
  const bool is_pm = reader.skip_if('P') || reader.skip_if('p');
  if (!is_pm && !reader.skip_if('A')) reader.skip('a');
  if (!reader.skip_if('M')) reader.skip('m');
  const std::int64_t hour = time->minute_ms / kMsPerHour;
  if (!reader.ok() || hour < 1 || hour > 12) return std::nullopt;
  time->minute_ms += ((is_pm ? 12 : 0) - (hour == 12 ? 12 : 0)) * kMsPerHour;
  return time;
}

// Three numbers of a date as they stand, with one mark between them.
struct DateParts {
  std::array<int, 3> numbers{};
  std::array<std::size_t, 3> digits{};

  // Returns the mark.
  char read(Reader& reader) {
    constexpr std::size_t kYearDigits = 4;
    char mark = '\0';
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const std::size_t before = reader.size();
      numbers[i] = reader.number(1, i == 1 ? 2 : kYearDigits);
      digits[i] = before - reader.size();
      if (i == 0) mark = reader.skip_if('/') ? '/' : reader.skip_if('.') ? '.' : '-';
      if ((i == 0 && mark == '-') || i == 1) reader.skip(mark);
    }
    return mark;
  }

  std::optional<std::int64_t> day(DateOrder order) const {
    const bool year_first = order == DateOrder::kYear;
    const bool day_first = order == DateOrder::kDay;
    const std::size_t y = year_first ? 0 : 2;
    const std::size_t m = year_first || day_first ? 1 : 0;
    const std::size_t d = 3 - y - m;
    if ((digits[y] != 2 && digits[y] != 4) || digits[d] > 2 || digits[m] > 2) return std::nullopt;
    const int century = digits[y] == 2 ? 2'000 : 0;
    return day_of(century + numbers[y], numbers[m], numbers[d]);
  }
};

// The usual time of day, of exactly the form `HH:MM:SS`, at `text`; absent: another form, or second
// 60. Eight characters at once.
std::optional<TimeOfDay> read_plain_time_of_day(const char* text) {
  constexpr std::uint64_t kTops = 0x8080808080808080;
  const auto load = [](const char* from) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, sizeof(word));
    return word;
  };
  // What is like its place in the pattern becomes 0 to 9; of the colons, only 0 is one.
  const std::uint64_t digits = load(text) ^ load("00:00:00");
  const std::uint64_t over_9 = (digits + (kTops - 0x0a0a0a0a0a0a0a0a)) | digits;
  if ((over_9 & kTops) != 0 || text[2] != ':' || text[5] != ':') return std::nullopt;
  const auto number = [text](std::size_t at) { return text[at] * 10 + text[at + 1] - '0' * 11; };
  const int hour = number(0);
  const int minute = number(3);
  const int second = number(6);
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return TimeOfDay{.minute_ms = hour * kMsPerHour + minute * kMsPerMinute, .second = second};
}

// Milliseconds that local time is ahead of UTC; absent: none is written, or one that is none (then
// not reader.ok()).
std::optional<std::int64_t> read_zone(Reader& reader) {
  if (reader.skip_if('Z') || reader.skip_if('z')) return 0;
  const std::int64_t sign = reader.skip_if('+') ? 1 : reader.skip_if('-') ? -1 : 0;
  if (sign == 0) return std::nullopt;
  const int hours = reader.number(2, 2);
  reader.skip_if(':');
  const int minutes = reader.number(2, 2);
  if (hours > 23 || minutes > 59) reader.skip('\0');  // Fails: the text is refused.
  return sign * (hours * kMsPerHour + minutes * kMsPerMinute);
}

std::optional<EventTime> combine(std::int64_t day, const TimeOfDay& time, std::int64_t zone_ms) {
  const std::int64_t minute = day * kMsPerDay + time.minute_ms - zone_ms;
  if (time.second == 60 && (minute + kMsPerMinute) % kMsPerDay != 0) return std::nullopt;
  const EventTime result = from_ms(minute + time.second * kMsPerSecond + time.ms);
  if (result < kEarliestEventTime || result >= kLatestEventTime) return std::nullopt;
  return result;
}

struct CalendarTime {
  int year, month, day, hour, minute, second, ms;
};

CalendarTime to_calendar(EventTime time) {
  using std::chrono::floor;
  constexpr auto kFirst = std::chrono::sys_days{std::chrono::year{0} / 1 / 1};
  constexpr auto kEnd = std::chrono::sys_days{std::chrono::year{10'000} / 1 / 1};
  time = std::clamp(time, EventTime{kFirst}, EventTime{kEnd} - Duration{1});
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return {.year = static_cast<int>(date.year()),
          .month = static_cast<int>(static_cast<unsigned>(date.month())),
          .day = static_cast<int>(static_cast<unsigned>(date.day())),
          .hour = static_cast<int>(clock.hours().count()),
          .minute = static_cast<int>(clock.minutes().count()),
          .second = static_cast<int>(clock.seconds().count()),
          .ms = static_cast<int>(clock.subseconds().count())};
}

// Overwrites the zeros at `index`.
void put_number(char* text, std::size_t index, std::size_t digits, int value) {
  for (std::size_t i = index + digits; i-- > index; value /= 10)
    text[i] = static_cast<char>('0' + value % 10);
}

void put_date_and_time(char* text, const CalendarTime& time) {
  put_number(text, 0, 4, time.year);
  put_number(text, 5, 2, time.month);
  put_number(text, 8, 2, time.day);
  put_number(text, 11, 2, time.hour);
  put_number(text, 14, 2, time.minute);
  put_number(text, 17, 2, time.second);
}

}  // namespace

std::optional<EventTime> TimeReader::read(std::string_view text) {
  // What has its year first is read in the same way everywhere.
  if (!sheet_order_ || (text.size() > kDateSize && text[4] == '-')) {
    const std::optional<EventTime> time = read_event(text);
    if (time || !sheet_order_) return time;
  }
  return read_sheet(text, *sheet_order_);
}

bool TimeReader::lacks_order(std::string_view text) const {
  return sheet_order_ == DateOrder::kUnstated &&
         (read_sheet(text, DateOrder::kDay) || read_sheet(text, DateOrder::kMonth));
}

std::optional<EventTime> TimeReader::read_sheet(std::string_view text, DateOrder order) const {
  Reader reader(text);
  DateParts date;
  const char mark = date.read(reader);
  if (!reader.ok()) return std::nullopt;
  const bool year_first = date.digits[0] == 4;
  if (order == DateOrder::kUnstated && mark == '.' && !year_first) return std::nullopt;
  if (year_first) order = DateOrder::kYear;
  const std::optional<std::int64_t> day = date.day(order);
  TimeOfDay time;
  if (!reader.done()) {
    reader.skip(' ');
    const std::optional<TimeOfDay> read = read_sheet_time_of_day(reader);
    if (!read || !reader.done()) return std::nullopt;
    time = *read;
  }
  if (!day) return std::nullopt;
  return combine(*day, time, std::chrono::milliseconds{utc_offset_}.count());
}

std::optional<EventTime> TimeReader::read_event(std::string_view text) {
  const std::int64_t default_zone_ms = std::chrono::milliseconds{utc_offset_}.count();
  if (text.size() <= kDateSize || text[4] != '-') {
    Reader reader(text);
    const int month = reader.number(1, 2);
    reader.skip('/');
    const int day_of_month = reader.number(1, 2);
    reader.skip('/');
    const int year = reader.number(4, 4);
    reader.skip(' ');
    const std::optional<TimeOfDay> time = read_time_of_day(reader, HourDigits::kOneOrTwo);
    if (!time || !reader.done()) return std::nullopt;
    const std::optional<std::int64_t> day = day_of(year, month, day_of_month);
    return day ? combine(*day, *time, default_zone_ms) : std::nullopt;
  }

  const std::optional<std::int64_t> day = read_date(text);
  if (!day) return std::nullopt;
  const bool has_z = text.size() == kPlainSize + 1 && text.back() == 'Z';
  if ((has_z || text.size() == kPlainSize) && (text[kDateSize] == 'T' || text[kDateSize] == ' ')) {
    const auto time = read_plain_time_of_day(text.data() + kDateSize + 1);
    if (time) return combine(*day, *time, has_z ? 0 : default_zone_ms);
  }
  Reader reader(text.substr(kDateSize));
  if (!reader.skip_if('T') && !reader.skip_if(' ')) reader.skip('t');
  const std::optional<TimeOfDay> time = read_time_of_day(reader, HourDigits::kTwo);
  if (!time) return std::nullopt;
  const std::optional<std::int64_t> zone_ms = read_zone(reader);
  if (!reader.done()) return std::nullopt;
  return combine(*day, *time, zone_ms.value_or(default_zone_ms));
}

// `text` starts with ten characters, of which the fifth is a hyphen.
std::optional<std::int64_t> TimeReader::read_date(std::string_view text) {
  std::uint64_t low = 0;
  std::uint16_t high = 0;
  std::memcpy(&low, text.data(), sizeof(low));
  std::memcpy(&high, text.data() + sizeof(low), sizeof(high));
  if (low == cached_date_low_ && high == cached_date_high_) return cached_day_;

  Reader reader(text.substr(0, kDateSize));
  const int year = reader.number(4, 4);
  reader.skip('-');
  const int month = reader.number(2, 2);
  reader.skip('-');
  const int day_of_month = reader.number(2, 2);
  if (!reader.done()) return std::nullopt;
  const std::optional<std::int64_t> day = day_of(year, month, day_of_month);
  if (!day) return std::nullopt;
  cached_date_low_ = low;
  cached_date_high_ = high;
  cached_day_ = *day;
  return day;
}

std::optional<EventTime> read_day_number(std::string_view text) {
  constexpr std::int64_t kEpochDay = 25'569;  // 1970-01-01.
  constexpr int kFirst = 18'264;
  constexpr int kLast = 80'353;
  constexpr std::size_t kDigitsMax = 15;
  if (text.size() > kDigitsMax) return std::nullopt;
  Reader reader(text);
  const int day = reader.number(5, 5);
  double fraction = 0;
  if (reader.skip_if('.')) {
    double unit = .1;
    for (; reader.ok() && !reader.done(); unit /= 10) fraction += reader.number(1, 1) * unit;
  }
  if (!reader.done() || day < kFirst || day > kLast) return std::nullopt;
  const auto seconds = static_cast<std::int64_t>(std::lround(fraction * 86'400));
  return from_ms((day - kEpochDay) * kMsPerDay + seconds * kMsPerSecond);
}

Rfc3339Text::Rfc3339Text(EventTime time) {
  constexpr std::string_view kZeros = "0000-00-00T00:00:00.000Z";
  static_assert(kZeros.size() == std::tuple_size_v<decltype(text_)>);
  kZeros.copy(text_.data(), text_.size());
  const CalendarTime calendar = to_calendar(time);
  put_date_and_time(text_.data(), calendar);
  put_number(text_.data(), 20, 3, calendar.ms);
}

std::string to_rfc3339(EventTime time) { return std::string(Rfc3339Text(time).view()); }

std::string to_date(EventTime time) { return std::string(Rfc3339Text(time).date()); }

std::string to_uci(EventTime time) {
  std::string text = "0000-00-00 00:00:00";
  put_date_and_time(text.data(), to_calendar(time));
  return text;
}

}  // namespace rfm
