#include "state/book.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <optional>
#include <string>

namespace rfm {
namespace {

using Stored = std::map<std::string, std::optional<std::string>>;

// What the next commit would write; each cell once.
Stored commit(Book& book) {
  Stored stored;
  book.for_each_dirty([&](std::string_view key, std::optional<std::string> bytes) {
    EXPECT_TRUE(stored.emplace(key, std::move(bytes)).second) << key << " is written twice";
  });
  EXPECT_EQ(stored.size(), book.dirty_count());
  book.mark_committed();
  return stored;
}

TEST(Book, ACellIsWrittenOncePerCommitAsItIsThen) {
  Book book;
  book.add("a", {1, 2});
  book.add("a", {10, 20});
  book.add("b", {0, 0, 0, 0, 0, 7});
  const Stored first = commit(book);
  EXPECT_EQ(first.size(), 2U);
  EXPECT_EQ(Book::decode(*first.at("a"))->sums, (Book::Sums{11, 22}));
  EXPECT_EQ(Book::decode(*first.at("b"))->sums, (Book::Sums{0, 0, 0, 0, 0, 7}));
  EXPECT_TRUE(commit(book).empty());
  book.add("b", {1});
  EXPECT_EQ(commit(book).size(), 1U);
}

TEST(Book, WhatIsTakenBackIsNoCell) {
  Book book;
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  book.add("a", {kMost, 1});
  book.add("a", {kMost, 1});
  book.add("a", {-kMost, -1});
  book.add("a", {-kMost, -1});
  EXPECT_EQ(book.find("a"), nullptr);
  EXPECT_EQ(commit(book).at("a"), std::nullopt);
  book.for_each([](std::string_view key, const Book::Cell&) { ADD_FAILURE() << key; });
}

TEST(Book, ACellWithATextStays) {
  Book book;
  book.note(book.at("a"), {3}, "");
  book.note(book.at("b"), {}, "text");
  Stored stored = commit(book);
  Book other;
  for (const auto& [key, bytes] : stored) ASSERT_TRUE(other.restore(key, *bytes));
  EXPECT_EQ(*other.find("a"), (Book::Cell{.sums = {3}, .text = ""}));
  EXPECT_EQ(*other.find("b"), (Book::Cell{.sums = {}, .text = "text"}));
  EXPECT_EQ(other.dirty_count(), 0U);
}

TEST(Book, StoredBytesAreReadAsTheyWereOrNotAtAll) {
  Book book;
  const Book::Sums sums = {std::numeric_limits<std::int64_t>::min(), -1, 0,
                           std::numeric_limits<std::int64_t>::max(), 127};
  book.note(book.at("a"), sums, "caf\xc3\xa9");
  const std::string bytes = *commit(book).at("a");
  EXPECT_EQ(*Book::decode(bytes), (Book::Cell{.sums = sums, .text = "caf\xc3\xa9"}));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(Book::decode(bytes.substr(0, size)), std::nullopt) << size;
  EXPECT_EQ(Book::decode(bytes + '\0'), std::nullopt);
  EXPECT_EQ(Book::decode(std::string(1, '\2') + bytes.substr(1)), std::nullopt);
}

}  // namespace
}  // namespace rfm
