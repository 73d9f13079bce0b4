#include "state/rocksdb_state_store.h"

#include <fmt/core.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/memtablerep.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <utility>
#include <vector>

namespace rfm {
namespace {

constexpr std::size_t kMemtableBytes = std::size_t{64} << 20;
constexpr std::array<const char*, kStoreKindCount> kFamilyNames = {
    "default", "meta", "contributions", "model_log", "books", "sale_lines"};
constexpr std::string_view kBranch = "branch";
// RocksDB's name for the file that says which of the others count.
constexpr std::string_view kCurrent = "CURRENT";

absl::Status to_status(const rocksdb::Status& status, std::string_view doing,
                       const std::string& directory) {
  if (status.ok()) return absl::OkStatus();
  const std::string message =
      fmt::format("state directory {}: {}: {}", directory, doing, status.ToString());
  if (status.IsCorruption()) return absl::DataLossError(message);
  // Not where the lock file cannot be opened at all.
  if (status.IsIOError() && (status.ToString().find("While lock file") != std::string::npos ||
                             status.ToString().find("lock hold by") != std::string::npos)) {
    return absl::FailedPreconditionError(message + " (another process has it open; stop it first)");
  }
  return absl::ResourceExhaustedError(message);
}

// Partition as four big-endian bytes, then the key: a partition is one range.
using Prefix = std::array<char, sizeof(std::uint32_t)>;
Prefix prefix_of(std::int32_t partition) {
  const auto p = static_cast<std::uint32_t>(partition);
  return {static_cast<char>(p >> 24), static_cast<char>(p >> 16), static_cast<char>(p >> 8),
          static_cast<char>(p)};
}

// RocksDB's own log file fails an assertion of its own when the disk is full (7.8), and ends the
// process before the failed write is reported. What matters is in the statuses.
class NoLog final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

// Those of an older version's state lack the last ones, which are made unless it is only read.
std::size_t family_count(const RocksdbOptions& options) {
  std::vector<std::string> names;
  if (options.access == StoreAccess::kReadWrite ||
      !rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), options.directory, &names).ok())
    return kFamilyNames.size();
  return std::min(names.size(), kFamilyNames.size());
}

std::vector<rocksdb::ColumnFamilyDescriptor> families_of(const RocksdbOptions& options) {
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (std::size_t i = 0; i < family_count(options); ++i) {
    rocksdb::ColumnFamilyOptions family;
    family.write_buffer_size = kMemtableBytes;
    family.compression = rocksdb::kNoCompression;
    // Rows and books are written in whole batches and never read while running: no order need be
    // kept.
    const auto kind = static_cast<StoreKind>(i);
    if ((kind == StoreKind::kRow || kind == StoreKind::kBook) &&
        options.access == StoreAccess::kReadWrite) {
      family.memtable_factory = std::make_shared<rocksdb::VectorRepFactory>();
    }
    // Those of a partition come nearly in order: each is looked for from where the last one went.
    if (kind == StoreKind::kSaleLines) {
      family.memtable_insert_with_hint_prefix_extractor.reset(
          rocksdb::NewFixedPrefixTransform(sizeof(std::int32_t)));
    }
    families.emplace_back(kFamilyNames[i], family);
  }
  return families;
}

rocksdb::DBOptions database_options() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.allow_concurrent_memtable_write = false;  // The vector memtable cannot.
  options.max_total_wal_size = std::uint64_t{256} << 20;
  options.info_log = std::make_shared<NoLog>();
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.avoid_flush_during_shutdown = false;
  return options;
}

// 0: RocksDB has no such text (its other versions may call it something else).
std::uint64_t number(const std::map<std::string, std::string>& texts, const std::string& key) {
  const auto found = texts.find(key);
  return found == texts.end() ? 0 : std::strtoull(found->second.c_str(), nullptr, 10);
}

}  // namespace

std::string branch_directory(const std::string& directory) {
  return std::filesystem::path(directory) / kBranch;
}

bool is_store_directory(const std::string& directory) {
  std::error_code error;
  return std::filesystem::exists(std::filesystem::path(directory) / kCurrent, error);
}

void StoreFigures::add_counters(const StoreFigures& before) {
  wal_bytes_written += before.wal_bytes_written;
  background_errors += before.background_errors;
  slowdowns += before.slowdowns;
  stops += before.stops;
  stall_micros += before.stall_micros;
}

class RocksdbStateStore::Database {
 public:
  static absl::StatusOr<std::unique_ptr<Database>> open(const RocksdbOptions& options) {
    const auto families = families_of(options);
    rocksdb::DB* db = nullptr;
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    const rocksdb::Status status =
        options.access != StoreAccess::kReadWrite
            ? rocksdb::DB::OpenForReadOnly(database_options(), options.directory, families,
                                           &handles, &db)
            : rocksdb::DB::Open(database_options(), options.directory, families, &handles, &db);
    if (!status.ok()) return to_status(status, "open", options.directory);
    return std::unique_ptr<Database>(new Database(options.directory, db, std::move(handles)));
  }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  ~Database() {
    for (rocksdb::ColumnFamilyHandle* family : families_) db_->DestroyColumnFamilyHandle(family);
  }

  absl::Status scan(StoreKind kind, std::int32_t partition, const Visit& visit) {
    const Prefix first = prefix_of(partition);
    const Prefix last = prefix_of(partition + 1);
    const rocksdb::Slice upper(last.data(), last.size());
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &upper;
    if (!has_family(kind)) return absl::OkStatus();
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, family(kind)));
    for (it->Seek({first.data(), first.size()}); it->Valid(); it->Next()) {
      std::string_view key(it->key().data(), it->key().size());
      key.remove_prefix(first.size());
      const absl::Status visited = visit(key, {it->value().data(), it->value().size()});
      if (!visited.ok()) return visited;
    }
    return to_status(it->status(), "scan", directory_);
  }

  absl::StatusOr<std::optional<std::string>> find(StoreKind kind, std::int32_t partition,
                                                  std::string_view key) {
    if (!has_family(kind)) return std::nullopt;
    const Prefix prefix = prefix_of(partition);
    std::string stored_key(prefix.begin(), prefix.end());
    stored_key += key;
    std::string value;
    const rocksdb::Status status =
        db_->Get(rocksdb::ReadOptions(), family(kind), stored_key, &value);
    if (status.IsNotFound()) return std::nullopt;
    if (!status.ok()) return to_status(status, "get", directory_);
    return value;
  }

  absl::Status write(std::span<const StoreWrite> writes) {
    constexpr std::size_t kAroundEach = 16;
    std::size_t bytes = 0;
    for (const StoreWrite& write : writes)
      bytes += kAroundEach + write.key.size() + (write.value ? write.value->size() : 0);
    rocksdb::WriteBatch batch(bytes);
    for (const StoreWrite& write : writes) {
      const Prefix prefix = prefix_of(write.partition);
      const std::array<rocksdb::Slice, 2> parts = {rocksdb::Slice(prefix.data(), prefix.size()),
                                                   rocksdb::Slice(write.key)};
      const rocksdb::SliceParts key(parts.data(), static_cast<int>(parts.size()));
      rocksdb::Status status;
      if (write.value) {
        const rocksdb::Slice value(*write.value);
        status = batch.Put(family(write.kind), key, rocksdb::SliceParts(&value, 1));
      } else {
        status = batch.Delete(family(write.kind), key);
      }
      if (!status.ok()) return to_status(status, "batch", directory_);
    }
    return to_status(db_->Write(rocksdb::WriteOptions(), &batch), "write", directory_);
  }

  absl::Status drop_partition(std::int32_t partition) {
    const Prefix first = prefix_of(partition);
    const Prefix last = prefix_of(partition + 1);
    rocksdb::WriteBatch batch;
    for (rocksdb::ColumnFamilyHandle* family : families_) {
      const rocksdb::Status status =
          batch.DeleteRange(family, {first.data(), first.size()}, {last.data(), last.size()});
      if (!status.ok()) return to_status(status, "drop", directory_);
    }
    return to_status(db_->Write(rocksdb::WriteOptions(), &batch), "drop", directory_);
  }

  StoreFigures figures() const {
    using Properties = rocksdb::DB::Properties;
    const auto sum = [this](const std::string& property) {
      std::uint64_t value = 0;
      return db_->GetAggregatedIntProperty(property, &value) ? value : 0;
    };
    StoreFigures figures{
        .live_bytes = sum(Properties::kEstimateLiveDataSize),
        .table_bytes = sum(Properties::kTotalSstFilesSize),
        .memtable_bytes = sum(Properties::kSizeAllMemTables),
        .kept_sales = one(Properties::kEstimateNumKeys, StoreKind::kSaleLines),
        .running_flushes = one(Properties::kNumRunningFlushes),
        .running_compactions = one(Properties::kNumRunningCompactions),
        .pending_compaction_bytes = sum(Properties::kEstimatePendingCompactionBytes),
        .background_errors = one(Properties::kBackgroundErrors)};
    std::error_code error;
    const std::filesystem::space_info disk = std::filesystem::space(directory_, error);
    if (!error) figures.disk_free_bytes = disk.available;
    std::map<std::string, std::string> texts;
    db_->GetMapProperty(Properties::kDBStats, &texts);
    figures.wal_bytes_written = number(texts, "db.wal_bytes_written");
    figures.stall_micros = number(texts, "db.user_write_stall_micros");
    for (rocksdb::ColumnFamilyHandle* family : families_) {
      texts.clear();
      db_->GetMapProperty(family, Properties::kCFStats, &texts);
      figures.slowdowns += number(texts, "io_stalls.total_slowdown");
      figures.stops += number(texts, "io_stalls.total_stop");
    }
    return figures;
  }

  // Another database of the same content; what both hold they share.
  absl::Status copy_to(const std::string& directory) {
    rocksdb::Checkpoint* made = nullptr;
    rocksdb::Status status = rocksdb::Checkpoint::Create(db_.get(), &made);
    const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
    if (status.ok()) status = checkpoint->CreateCheckpoint(directory);
    return to_status(status, "copy", directory_);
  }

 private:
  Database(std::string directory, rocksdb::DB* db,
           std::vector<rocksdb::ColumnFamilyHandle*> families)
      : directory_(std::move(directory)), db_(db), families_(std::move(families)) {}

  // Of the whole database, which each of its families tells.
  std::uint64_t one(const std::string& property) const {
    std::uint64_t value = 0;
    return db_->GetIntProperty(property, &value) ? value : 0;
  }
  std::uint64_t one(const std::string& property, StoreKind kind) const {
    std::uint64_t value = 0;
    return has_family(kind) && db_->GetIntProperty(family(kind), property, &value) ? value : 0;
  }

  bool has_family(StoreKind kind) const {
    return static_cast<std::size_t>(kind) < families_.size();
  }
  rocksdb::ColumnFamilyHandle* family(StoreKind kind) const {
    return families_[static_cast<std::size_t>(kind)];
  }

  std::string directory_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

RocksdbStateStore::RocksdbStateStore(RocksdbOptions options, std::unique_ptr<Database> database)
    : options_(std::move(options)), database_(std::move(database)) {}
RocksdbStateStore::~RocksdbStateStore() = default;

absl::Status RocksdbStateStore::scan(StoreKind kind, std::int32_t partition, const Visit& visit) {
  const std::shared_lock lock(branching_);
  return database_->scan(kind, partition, visit);
}

absl::StatusOr<std::optional<std::string>> RocksdbStateStore::find(StoreKind kind,
                                                                   std::int32_t partition,
                                                                   std::string_view key) {
  const std::shared_lock lock(branching_);
  return database_->find(kind, partition, key);
}

absl::Status RocksdbStateStore::write(std::span<const StoreWrite> writes) {
  const std::shared_lock lock(branching_);
  return database_->write(writes);
}

absl::Status RocksdbStateStore::drop_partition(std::int32_t partition) {
  const std::shared_lock lock(branching_);
  return database_->drop_partition(partition);
}

StoreFigures RocksdbStateStore::figures() const {
  const std::shared_lock lock(branching_);
  return database_->figures();
}

absl::Status RocksdbStateStore::branch() {
  if (absl::Status dropped = drop_branch(); !dropped.ok()) return dropped;
  const std::scoped_lock lock(branching_);
  const RocksdbOptions options{.directory = branch_directory(options_.directory)};
  if (absl::Status copied = database_->copy_to(options.directory); !copied.ok()) return copied;
  absl::StatusOr<std::unique_ptr<Database>> opened = Database::open(options);
  if (!opened.ok()) return opened.status();
  trunk_ = std::exchange(database_, *std::move(opened));
  return absl::OkStatus();
}

// Without the first file it is none, so that there is no half of one.
absl::Status RocksdbStateStore::drop_branch() {
  const std::filesystem::path branch = branch_directory(options_.directory);
  std::error_code error;
  std::filesystem::remove(branch / kCurrent, error);
  if (!error) std::filesystem::remove_all(branch, error);
  if (!error) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      fmt::format("{} cannot be removed: {}", branch.string(), error.message()));
}

absl::StatusOr<std::string> set_aside(const std::string& directory) {
  std::string aside = directory + ".damaged";
  for (int i = 1; std::filesystem::exists(aside); ++i)
    aside = fmt::format("{}.damaged.{}", directory, i);
  std::error_code error;
  std::filesystem::rename(directory, aside, error);
  if (!error) return aside;
  return absl::ResourceExhaustedError(
      fmt::format("state directory {} cannot be renamed: {}", directory, error.message()));
}

absl::StatusOr<std::unique_ptr<RocksdbStateStore>> open_rocksdb_store(
    const RocksdbOptions& options) {
  std::error_code error;
  if (options.access != StoreAccess::kReadWrite &&
      !std::filesystem::exists(options.directory, error)) {
    return absl::NotFoundError(fmt::format("state directory {} does not exist", options.directory));
  }
  RocksdbOptions shown = options;
  if (options.access == StoreAccess::kReadOnly) {
    if (std::string branch = branch_directory(options.directory); is_store_directory(branch))
      shown.directory = std::move(branch);
  } else if (options.access == StoreAccess::kReadWrite) {
    std::filesystem::create_directories(options.directory, error);
    if (error) {
      return absl::FailedPreconditionError(
          fmt::format("state directory {} cannot be made: {}", options.directory, error.message()));
    }
  }
  absl::StatusOr<std::unique_ptr<RocksdbStateStore::Database>> database =
      RocksdbStateStore::Database::open(shown);
  if (!database.ok()) return database.status();
  return std::unique_ptr<RocksdbStateStore>(new RocksdbStateStore(options, *std::move(database)));
}

}  // namespace rfm
