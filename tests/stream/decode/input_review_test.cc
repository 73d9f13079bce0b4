#include "stream/decode/input_review.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "stream/decode/decoder.h"

namespace rfm {
namespace {

using Findings = std::vector<std::string>;

// Of rows of number, time and customer.
struct Sheet {
  InputReview review{InputFormat::kCsv};
  Decoder decoder{{.format = InputFormat::kCsv, .keys = KeyPolicy::kIfPresent, .review = &review}};
  Offset next = 0;

  void add(std::string_view number, std::string_view time, std::string_view customer) {
    const std::string row = std::string(number) + ",a,x,1," + std::string(time) + ",10,\"" +
                            std::string(customer) + "\",UK";
    RecordView record;
    record.value = row;
    record.offset = next++;
    decoder.decode(record);
    decoder.decode(record);  // A record that has to wait is decoded again.
  }
};

TEST(InputReview, HasNothingToSayOfASoundFile) {
  Sheet sheet;
  sheet.add("1", "2024-01-01 10:00", "1");
  sheet.add("2", "2024-01-01 10:00", "1");
  sheet.add("3", "2024-01-01 11:00", "10");
  EXPECT_EQ(sheet.review.findings(), Findings{});
  EXPECT_EQ(sheet.review.refusals(), Findings{});
  EXPECT_TRUE(sheet.review.status().ok());
}

TEST(InputReview, CountsRowsThatGoBackInTime) {
  Sheet sheet;
  sheet.add("1", "2024-01-01 10:00", "1");
  sheet.add("2", "2024-01-03 10:00", "1");
  sheet.add("3", "2024-01-02 10:00", "1");
  sheet.add("4", "2024-01-02 11:00", "");
  sheet.add("5", "2024-01-03 10:00", "1");
  EXPECT_EQ(sheet.review.findings(),
            Findings{"2 rows go back in time, first row 3, 2024-01-02T10:00:00.000Z after "
                     "2024-01-03T10:00:00.000Z: sort the file by time, or what comes late is "
                     "counted late"});
}

TEST(InputReview, CountsExactDuplicates) {
  Sheet sheet;
  for (int i = 0; i < 3; ++i) sheet.add("1", "2024-01-01 10:00", "1");
  sheet.add("1", "2024-01-01 10:00", "2");
  EXPECT_EQ(sheet.review.findings(),
            Findings{"2 rows are byte for byte as one before, first row 2: none was left out; if "
                     "two exports overlap, take the overlap out"});
}

// Whatever the table's size and how far apart they are.
TEST(InputReview, FindsEveryRepetitionInLongFiles) {
  constexpr std::uint64_t kCount = 100'000;
  RepeatedHashes hashes;
  for (std::uint64_t i = 1; i <= kCount; ++i) {
    hashes.add(i * 0x9e3779b97f4a7c15, static_cast<Offset>(2 * i));
    if (i % 10 == 0) hashes.add(i / 10 * 0x9e3779b97f4a7c15, static_cast<Offset>(2 * i + 1));
  }
  hashes.finish();
  EXPECT_EQ(hashes.count(), kCount / 10);
  EXPECT_EQ(hashes.first(), 21);
  EXPECT_FALSE(hashes.is_full());
}

TEST(InputReview, KeepsNoMoreThanItsLimit) {
  constexpr std::uint64_t kCount = 4'000'000;
  RepeatedHashes hashes;
  for (const Offset row : {1, 2}) {
    for (std::uint64_t i = 1; i <= kCount; ++i) hashes.add(i * 0x9e3779b97f4a7c15, row);
  }
  hashes.finish();
  EXPECT_TRUE(hashes.is_full());
  EXPECT_EQ(hashes.first(), 2);
  EXPECT_GT(hashes.count(), 3'000'000U);
  EXPECT_LT(hashes.count(), kCount);
}

TEST(InputReview, NamesIdsThatDifferOnlyInForm) {
  Sheet sheet;
  int number = 0;
  for (const std::string_view id : {"17850", "a1", "17850", "017850", "17,850", "17850.0",
                                    "1.785E+04", "A1", "17850", "17,850"})
    sheet.add(std::to_string(++number), "2024-01-01 10:00", id);
  EXPECT_EQ(sheet.review.findings(),
            Findings{"3 customer ids differ from another only in form and stand for another "
                     "customer: \"017850\" beside \"17850\", \"17,850\" beside \"17850\", "
                     "\"1.785E+04\" beside \"17850\""});
}

TEST(InputReview, AsksWhetherIdsThatSayNothingAreNobody) {
  Sheet sheet;
  for (const char* id : {"NULL", "NULL", "7", "nan", "NULL", "Nanette", "None of these"})
    sheet.add("1", "2024-01-01 10:00:00", id);
  Findings found = sheet.review.findings();
  ASSERT_GE(found.size(), 2U);
  found.erase(found.begin(), found.end() - 2);
  EXPECT_EQ(found,
            (Findings{"3 rows are of a customer \"NULL\": if that is nobody, begin anew with "
                      "--set input.anonymous=NULL",
                      "1 row is of a customer \"nan\": if that is nobody, begin anew with "
                      "--set input.anonymous=nan"}));
}

TEST(InputReview, PlainIdsAreWholeNumbers) {
  for (const std::string_view id : {"17850", "17,850", "17 850", "0017850", "'17850", "1.785E+04",
                                    "1.785e4", "17850E+00", "178.5E2"})
    EXPECT_EQ(plain_id(id), "17850") << id;
  for (const std::string_view id :
       {"", "a1", "1.5E+00", "1E", "E4", "1E+99", "1.2.3E+04", "-1", "x1E+02", "1E+2x", ".5E+01"})
    EXPECT_EQ(plain_id(id), id);
  EXPECT_EQ(plain_id("000"), "0");
  EXPECT_EQ(plain_id("2E+30"), "2" + std::string(30, '0'));
}

TEST(InputReview, ListsWhatCouldNotBeUsed) {
  Sheet sheet;
  sheet.add("1", "soon", "1");
  sheet.add("", "2024-01-01 10:00", "1");
  for (int i = 0; i < 4; ++i) sheet.add("1", "later", "1");
  const Findings refusals = sheet.review.refusals();
  ASSERT_EQ(refusals.size(), 2U);
  EXPECT_EQ(refusals[0], "1 missing_field: row 2: InvoiceNo: missing");
  EXPECT_EQ(refusals[1].find("5 invalid_field: row 1: InvoiceDate: \"soon\" is not a time"), 0U);
  EXPECT_TRUE(refusals[1].ends_with("; ...")) << refusals[1];
  EXPECT_EQ(sheet.review.refused(), 6U);
}

TEST(InputReview, AnOrderOfDatesThatIsNotSetIsAnError) {
  Sheet sheet;
  sheet.add("1", "01/12/2010 08:26", "1");
  EXPECT_TRUE(sheet.review.status().ok());
  sheet.add("2", "13/12/2010 08:26", "1");
  sheet.add("3", "14/12/2010 08:26", "1");
  EXPECT_EQ(sheet.review.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(sheet.review.status().message().find("row 2: InvoiceDate: \"13/12/2010 08:26\""), 0U);
}

}  // namespace
}  // namespace rfm
