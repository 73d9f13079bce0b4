#include "stream/text/time_text.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <string_view>

namespace rfm {
namespace {

using std::chrono::minutes;

std::optional<std::int64_t> read_ms(std::string_view text, minutes utc_offset = minutes{0}) {
  const std::optional<EventTime> time = TimeReader(utc_offset).read(text);
  return time ? std::optional(to_ms(*time)) : std::nullopt;
}

constexpr std::int64_t kFirstInvoice = 1'291'191'960'000;  // 2010-12-01T08:26:00Z

TEST(TimeText, ReadsRfc3339) {
  EXPECT_EQ(read_ms("2010-12-01T08:26:00Z"), kFirstInvoice);
  EXPECT_EQ(read_ms("2010-12-01t08:26:00z"), kFirstInvoice);
  EXPECT_EQ(read_ms("2010-12-01 08:26:00Z"), kFirstInvoice);
  EXPECT_EQ(read_ms("2010-12-01T10:26:00+02:00"), kFirstInvoice);
  EXPECT_EQ(read_ms("2010-11-30T22:56:00-09:30"), kFirstInvoice);
  EXPECT_EQ(read_ms("2010-12-01T08:26:00-00:00"), kFirstInvoice);
}

TEST(TimeText, FinerDigitsThanMillisecondsAreCutOff) {
  EXPECT_EQ(read_ms("2010-12-01T08:26:00.5Z"), kFirstInvoice + 500);
  EXPECT_EQ(read_ms("2010-12-01T08:26:00.123Z"), kFirstInvoice + 123);
  EXPECT_EQ(read_ms("2010-12-01T08:26:00.123999999999999Z"), kFirstInvoice + 123);
}

TEST(TimeText, TimesWithoutZoneUseTheOffset) {
  EXPECT_EQ(read_ms("2010-12-01T08:26:00"), kFirstInvoice);
  EXPECT_EQ(read_ms("2010-12-01T09:26:00", minutes{60}), kFirstInvoice);
  EXPECT_EQ(read_ms("12/1/2010 2:56", minutes{-330}), kFirstInvoice);
  EXPECT_EQ(read_ms("2010-12-01T08:26:00Z", minutes{60}), kFirstInvoice);
}

TEST(TimeText, ReadsTheFormsOfOnlineRetail) {
  EXPECT_EQ(read_ms("2010-12-01 08:26:00"), kFirstInvoice);
  EXPECT_EQ(read_ms("2010-12-01 08:26"), kFirstInvoice);
  EXPECT_EQ(read_ms("12/1/2010 8:26"), kFirstInvoice);
  EXPECT_EQ(read_ms("12/01/2010 08:26:30"), kFirstInvoice + 30'000);
}

TEST(TimeText, LeapSecondsEndAUtcDay) {
  EXPECT_EQ(read_ms("2016-12-31T23:59:60Z"), 1'483'228'800'000);
  EXPECT_EQ(read_ms("2017-01-01T00:59:60+01:00"), 1'483'228'800'000);
  EXPECT_EQ(read_ms("2016-12-31T23:58:60Z"), std::nullopt);
  EXPECT_EQ(read_ms("2016-12-31T12:30:60Z"), std::nullopt);
}

TEST(TimeText, KnowsTheCalendar) {
  EXPECT_TRUE(read_ms("2012-02-29T00:00:00Z"));
  EXPECT_FALSE(read_ms("2011-02-29T00:00:00Z"));
  EXPECT_FALSE(read_ms("2100-02-29T00:00:00Z"));
  EXPECT_FALSE(read_ms("2011-13-01T00:00:00Z"));
  EXPECT_FALSE(read_ms("2011-00-10T00:00:00Z"));
  EXPECT_FALSE(read_ms("2/30/2011 8:26"));
}

TEST(TimeText, RefusesWhatIsNoTime) {
  for (const std::string_view text : {"",
                                      "2010",
                                      "2010-12-01",
                                      "2010-12-01T",
                                      "2010-12-01T08",
                                      "2010-12-01T08:26:",
                                      "2010-12-01T8:26:00Z",
                                      "2010-12-01T08:26:00X",
                                      "2010-12-01T08:26:00Zz",
                                      "2010-12-01T08:26:00.Z",
                                      "2010-12-01T08:26:00 Z",
                                      "2010-12-01T24:00:00Z",
                                      "2010-12-01T08:60:00Z",
                                      "2010-12-01T08:26:61Z",
                                      "2010-12-01T08:26:00+24:00",
                                      "2010-12-01T08:26:00+02:60",
                                      "2010-12-01T08:26:00+2:00",
                                      "2010-12-01T08:26:00+02",
                                      "2010-12-01T08:26:00+020",
                                      "2010/12/01 08:26",
                                      " 2010-12-01T08:26:00Z",
                                      "+2010-12-01T08:26:00Z",
                                      "2010-1-01T08:26:00Z",
                                      "12/1/10 8:26",
                                      "12/1/2010 8",
                                      "12/1/2010 8:26Z",
                                      "13/1/2010 8:26",
                                      "12/1/2010T8:26",
                                      "yesterday at noon",
                                      "1291191960000"}) {
    EXPECT_FALSE(read_ms(text)) << text;
  }
  EXPECT_FALSE(read_ms(std::string_view("\0\0\0\0-\0\0\0\0\0T08:26:00Z", 20)));
}

TEST(TimeText, TimesOutsideOfTheAcceptedSpanAreRefused) {
  EXPECT_EQ(read_ms("1970-01-01T00:00:00Z"), 0);
  EXPECT_FALSE(read_ms("1969-12-31T23:59:59.999Z"));
  EXPECT_FALSE(read_ms("1970-01-01T00:00:00+00:01"));
  EXPECT_EQ(read_ms("2199-12-31T23:59:59.999Z"), to_ms(kLatestEventTime) - 1);
  EXPECT_FALSE(read_ms("2200-01-01T00:00:00Z"));
  EXPECT_FALSE(read_ms("9999-12-31T23:59:59Z"));
}

TEST(TimeText, OneReaderGivesTheSameAsManyReaders) {
  TimeReader reader(minutes{0});
  for (const std::string_view text :
       {"2010-12-01T08:26:00Z", "2010-12-01 09:00", "2010-12-02T00:00:00Z", "2010-12-0x",
        "2010-12-02T01:00:00Z", "2010-13-02T01:00:00Z", "2010-12-01T08:26:00Z"}) {
    EXPECT_EQ(reader.read(text), TimeReader(minutes{0}).read(text)) << text;
  }
}

TEST(TimeText, ShowsMillisecondsUtc) {
  EXPECT_EQ(to_rfc3339(from_ms(kFirstInvoice + 7)), "2010-12-01T08:26:00.007Z");
  EXPECT_EQ(to_uci(from_ms(kFirstInvoice + 7)), "2010-12-01 08:26:00");
  EXPECT_EQ(to_rfc3339(from_ms(-1)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(to_rfc3339(kNever), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(to_rfc3339(kBeforeAll), "0000-01-01T00:00:00.000Z");
}

RC_GTEST_PROP(TimeTextProperty, AcceptedTimesSurviveTheWayThroughText, ()) {
  const std::int64_t ms = *rc::gen::inRange<std::int64_t>(0, to_ms(kLatestEventTime));
  RC_ASSERT(read_ms(to_rfc3339(from_ms(ms))) == ms);
  RC_ASSERT(read_ms(to_uci(from_ms(ms))) == ms / 1'000 * 1'000);
}

}  // namespace
}  // namespace rfm
