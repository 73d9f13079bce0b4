// Goal: what is written together is there together, after closing and opening too.
#include "state/rocksdb_state_store.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

namespace rfm {
namespace {

class RocksdbStateStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "rfmstream-store-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override {
    for (const auto& entry : std::filesystem::directory_iterator(directory_.parent_path())) {
      if (entry.path().string().starts_with(directory_.string()))
        std::filesystem::remove_all(entry.path());
    }
  }

  std::unique_ptr<RocksdbStateStore> open(StoreAccess access = StoreAccess::kReadWrite) const {
    absl::StatusOr<std::unique_ptr<RocksdbStateStore>> store =
        open_rocksdb_store({.directory = directory_.string(), .access = access});
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }

  std::filesystem::path directory_;
};

std::map<std::string, std::string> content(StateStore& store, StoreKind kind,
                                           std::int32_t partition) {
  std::map<std::string, std::string> found;
  std::string last;
  const absl::Status scanned =
      store.scan(kind, partition, [&](std::string_view key, std::string_view value) {
        EXPECT_LE(last, key);
        last = key;
        found.emplace(key, value);
        return absl::OkStatus();
      });
  EXPECT_TRUE(scanned.ok()) << scanned;
  return found;
}

const std::map<std::string, std::string> kNothing;

TEST_F(RocksdbStateStoreTest, KeepsKindsAndPartitionsApart) {
  const std::unique_ptr<StateStore> store = open();
  const std::vector<StoreWrite> writes = {{StoreKind::kRow, 1, "a", "row"},
                                          {StoreKind::kRow, 1, std::string("\0\xff", 2), ""},
                                          {StoreKind::kRow, 256, "a", "other"},
                                          {StoreKind::kMeta, 1, "", "meta"},
                                          {StoreKind::kModelLog, 0, "version/1", "{}"}};
  ASSERT_TRUE(store->write(writes).ok());
  const std::map<std::string, std::string> rows = {{"a", "row"}, {std::string("\0\xff", 2), ""}};
  EXPECT_EQ(content(*store, StoreKind::kRow, 1), rows);
  EXPECT_EQ(content(*store, StoreKind::kRow, 0), kNothing);
  EXPECT_EQ(content(*store, StoreKind::kRow, 2), kNothing);
  EXPECT_EQ(content(*store, StoreKind::kMeta, 1).at(""), "meta");
  EXPECT_EQ(content(*store, StoreKind::kContribution, 1), kNothing);
}

TEST_F(RocksdbStateStoreTest, ItsFiguresFollowWhatIsWritten) {
  const std::unique_ptr<RocksdbStateStore> store = open();
  const StoreFigures before = store->figures();
  const std::vector<StoreWrite> writes = {{StoreKind::kRow, 0, "a", std::string(1'000'000, 'x')}};
  ASSERT_TRUE(store->write(writes).ok());
  const StoreFigures after = store->figures();
  EXPECT_GE(after.wal_bytes_written, before.wal_bytes_written + 1'000'000);
  EXPECT_GE(after.memtable_bytes, before.memtable_bytes + 1'000'000);
  EXPECT_EQ(after.background_errors, 0U);
  ASSERT_TRUE(after.disk_free_bytes.has_value());
  EXPECT_GE(*after.disk_free_bytes, 1'000'000U);
}

TEST_F(RocksdbStateStoreTest, HoldsWhatWasWrittenAfterReopening) {
  {
    const std::unique_ptr<StateStore> store = open();
    const std::vector<StoreWrite> first = {{StoreKind::kRow, 0, "a", "1"},
                                           {StoreKind::kRow, 0, "b", "1"}};
    const std::vector<StoreWrite> second = {{StoreKind::kRow, 0, "a", std::nullopt},
                                            {StoreKind::kRow, 0, "b", "2"},
                                            {StoreKind::kMeta, 0, "", "2"}};
    ASSERT_TRUE(store->write(first).ok());
    ASSERT_TRUE(store->write(second).ok());
  }
  const std::unique_ptr<StateStore> store = open();
  const std::map<std::string, std::string> rows = {{"b", "2"}};
  EXPECT_EQ(content(*store, StoreKind::kRow, 0), rows);
  EXPECT_EQ(content(*store, StoreKind::kMeta, 0).at(""), "2");
}

TEST_F(RocksdbStateStoreTest, AWriteCutShortByACrashIsNotThereAtAll) {
  {
    const std::unique_ptr<StateStore> store = open();
    const std::vector<StoreWrite> first = {{StoreKind::kRow, 0, "a", "1"},
                                           {StoreKind::kMeta, 0, "", "1"}};
    const std::vector<StoreWrite> second = {{StoreKind::kRow, 0, "a", std::string(1000, '2')},
                                            {StoreKind::kMeta, 0, "", "2"}};
    ASSERT_TRUE(store->write(first).ok());
    ASSERT_TRUE(store->write(second).ok());
    // A copy while it is open is what a crash leaves behind.
    std::filesystem::copy(directory_, directory_.string() + ".crashed",
                          std::filesystem::copy_options::recursive);
  }
  directory_ += ".crashed";
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    if (entry.path().extension() == ".log" && std::filesystem::file_size(entry.path()) > 500)
      std::filesystem::resize_file(entry.path(), std::filesystem::file_size(entry.path()) - 500);
  }
  std::filesystem::remove(directory_ / "LOCK");
  {
    const std::unique_ptr<StateStore> store = open();
    ASSERT_NE(store, nullptr);
    EXPECT_EQ(content(*store, StoreKind::kRow, 0).at("a"), "1");
    EXPECT_EQ(content(*store, StoreKind::kMeta, 0).at(""), "1");
  }
  directory_ = directory_.string().substr(0, directory_.string().size() - 8);
}

TEST_F(RocksdbStateStoreTest, ALockThatCannotBeOpenedIsNoOtherProcess) {
  std::filesystem::create_directories(directory_ / "LOCK");
  const auto store = open_rocksdb_store({.directory = directory_});
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.status().message().find("another process"), std::string::npos) << store.status();
}

TEST_F(RocksdbStateStoreTest, DropsOnePartition) {
  const std::unique_ptr<StateStore> store = open();
  const std::vector<StoreWrite> writes = {{StoreKind::kRow, 0, "a", "1"},
                                          {StoreKind::kRow, 1, "a", "1"},
                                          {StoreKind::kMeta, 1, "", "1"},
                                          {StoreKind::kContribution, 1, "x", "1"},
                                          {StoreKind::kRow, 2, "a", "1"}};
  ASSERT_TRUE(store->write(writes).ok());
  ASSERT_TRUE(store->drop_partition(1).ok());
  EXPECT_EQ(content(*store, StoreKind::kRow, 0).size(), 1U);
  EXPECT_EQ(content(*store, StoreKind::kRow, 1), kNothing);
  EXPECT_EQ(content(*store, StoreKind::kMeta, 1), kNothing);
  EXPECT_EQ(content(*store, StoreKind::kContribution, 1), kNothing);
  EXPECT_EQ(content(*store, StoreKind::kRow, 2).size(), 1U);
}

TEST_F(RocksdbStateStoreTest, OneProcessOwnsADirectory) {
  const std::unique_ptr<StateStore> store = open();
  const auto second = open_rocksdb_store({.directory = directory_.string()});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(std::string(second.status().message()).find("another process has it open"),
            std::string::npos);
}

TEST_F(RocksdbStateStoreTest, ReadOnlyReadsAndNeverMakesADirectory) {
  const auto missing = open_rocksdb_store(
      {.directory = (directory_ / "none").string(), .access = StoreAccess::kReadOnly});
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(directory_ / "none"));
  {
    const std::unique_ptr<StateStore> store = open();
    const std::vector<StoreWrite> writes = {{StoreKind::kRow, 0, "a", "1"}};
    ASSERT_TRUE(store->write(writes).ok());
  }
  const auto read =
      open_rocksdb_store({.directory = directory_.string(), .access = StoreAccess::kReadOnly});
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(content(**read, StoreKind::kRow, 0).size(), 1U);
  const std::vector<StoreWrite> more = {{StoreKind::kRow, 0, "b", "1"}};
  EXPECT_FALSE((*read)->write(more).ok());
}

TEST_F(RocksdbStateStoreTest, DamageIsSaidAndCanBeSetAside) {
  {
    const std::unique_ptr<StateStore> store = open();
    const std::vector<StoreWrite> writes = {{StoreKind::kRow, 0, "a", "1"}};
    ASSERT_TRUE(store->write(writes).ok());
  }
  std::ofstream(directory_ / "CURRENT", std::ios::trunc) << "nothing\n";
  EXPECT_EQ(open_rocksdb_store({.directory = directory_.string()}).status().code(),
            absl::StatusCode::kDataLoss);
  const absl::StatusOr<std::string> aside = set_aside(directory_.string());
  ASSERT_TRUE(aside.ok()) << aside.status();
  EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(*aside) / "CURRENT"));
  EXPECT_EQ(content(*open(), StoreKind::kRow, 0), kNothing);
}

using Rows = std::map<std::string, std::string>;

Rows rows_of(StateStore& store) { return content(store, StoreKind::kRow, 0); }

absl::Status put(StateStore& store, const std::string& key) {
  const std::vector<StoreWrite> writes = {{StoreKind::kRow, 0, key, "1"}};
  return store.write(writes);
}

TEST_F(RocksdbStateStoreTest, ABranchIsWhatReadersSeeAndTheNextWriterDoesNot) {
  {
    const auto store = open();
    ASSERT_TRUE(put(*store, "trunk").ok());
    ASSERT_TRUE(store->branch().ok());
    EXPECT_EQ(rows_of(*store), (Rows{{"trunk", "1"}}));
    ASSERT_TRUE(put(*store, "branch").ok());
    EXPECT_EQ(open_rocksdb_store({.directory = directory_.string()}).status().code(),
              absl::StatusCode::kFailedPrecondition);
  }
  EXPECT_EQ(rows_of(*open(StoreAccess::kReadOnly)), (Rows{{"branch", "1"}, {"trunk", "1"}}));
  {
    const auto store = open();
    EXPECT_EQ(rows_of(*store), (Rows{{"trunk", "1"}}));
    ASSERT_TRUE(put(*store, "next").ok());
    ASSERT_TRUE(store->drop_branch().ok());
    EXPECT_FALSE(std::filesystem::exists(directory_ / "branch"));
    ASSERT_TRUE(store->branch().ok());
  }
  EXPECT_EQ(rows_of(*open(StoreAccess::kReadOnly)), (Rows{{"next", "1"}, {"trunk", "1"}}));
  const auto store = open();
  ASSERT_TRUE(store->branch().ok()) << "over one that is there";
}

// As a process leaves them that dies in between.
TEST_F(RocksdbStateStoreTest, HalfABranchIsNone) {
  {
    const auto store = open();
    ASSERT_TRUE(put(*store, "trunk").ok());
    ASSERT_TRUE(store->branch().ok());
    ASSERT_TRUE(put(*store, "branch").ok());
  }
  std::filesystem::copy(directory_ / "branch", directory_ / "branch.tmp");  // Not renamed yet.
  std::filesystem::remove(directory_ / "branch" / "CURRENT");               // Not all removed yet.
  EXPECT_EQ(rows_of(*open(StoreAccess::kReadOnly)), (Rows{{"trunk", "1"}}));
  {
    const auto store = open();
    EXPECT_EQ(rows_of(*store), (Rows{{"trunk", "1"}}));
    ASSERT_TRUE(store->branch().ok());
    ASSERT_TRUE(put(*store, "again").ok());
  }
  EXPECT_EQ(rows_of(*open(StoreAccess::kReadOnly)), (Rows{{"again", "1"}, {"trunk", "1"}}));
}

}  // namespace
}  // namespace rfm
