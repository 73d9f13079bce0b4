#include "stream/run/state_copy.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "stream/run/whole_store.h"

namespace rfm {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBatchBytes = std::size_t{4} << 20;
// Writes what it is given in batches, so that no copy needs much memory.
class BatchWriter {
 public:
  BatchWriter(const StateCopyOptions& options, StateStore& to) : options_(options), to_(to) {}

  absl::Status add(StoreWrite write) {
    bytes_ += write.key.size() + write.value->size();
    batch_.push_back(std::move(write));
    return bytes_ - written_bytes_ < kBatchBytes ? absl::OkStatus() : flush();
  }

  absl::Status flush() {
    if (options_.should_stop()) return absl::CancelledError("stopped");
    const absl::Status written = to_.write(batch_);
    records_ += batch_.size();
    written_bytes_ = bytes_;
    batch_.clear();
    options_.on_progress(records_);
    return written;
  }

 private:
  const StateCopyOptions& options_;
  StateStore& to_;
  std::vector<StoreWrite> batch_;
  std::uint64_t records_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t written_bytes_ = 0;
};

absl::StatusOr<StateCopy> copy_store(const StateCopyOptions& options, StateStore& from,
                                     StateStore& to) {
  absl::StatusOr<std::vector<PartitionSnapshot>> partitions = stored_partitions(from);
  if (!partitions.ok()) return partitions.status();
  StateCopy copy{.partitions = *std::move(partitions), .customers = {}};
  copy.customers.resize(copy.partitions.size());
  BatchWriter writer(options, to);
  // All may be in the branch; a model log is in the first partition.
  const PartitionId count =
      copy.partitions.empty() ? 1 : copy.partitions.front().meta.partition_count;
  for (PartitionId p = 0; p < count; ++p) {
    std::uint64_t customers = 0;
    for (int kind = 0; kind < kStoreKindCount; ++kind) {
      const auto store_kind = static_cast<StoreKind>(kind);
      const absl::Status scanned =
          from.scan(store_kind, p, [&](std::string_view key, std::string_view value) {
            if (store_kind == StoreKind::kRow) ++customers;
            return writer.add({store_kind, p, std::string(key), std::string(value)});
          });
      if (!scanned.ok()) return scanned;
    }
    const auto owned = std::ranges::find(copy.partitions, p, &PartitionSnapshot::id);
    if (owned != copy.partitions.end())
      copy.customers[static_cast<std::size_t>(owned - copy.partitions.begin())] = customers;
  }
  if (const absl::Status flushed = writer.flush(); !flushed.ok()) return flushed;
  return copy;
}

absl::StatusOr<StateCopy> copy_database(const StateCopyOptions& options, const std::string& from,
                                        StoreAccess access, const std::string& to) {
  absl::StatusOr<std::unique_ptr<RocksdbStateStore>> source = open_whole_store(from, access);
  if (!source.ok()) return source.status();
  absl::StatusOr<std::unique_ptr<RocksdbStateStore>> target = open_rocksdb_store({.directory = to});
  if (!target.ok()) return target.status();
  return copy_store(options, **source, **target);
}

absl::StatusOr<StateCopy> copy_all(const StateCopyOptions& options, const std::string& to) {
  absl::StatusOr<StateCopy> copy =
      copy_database(options, options.from, StoreAccess::kReadOnlyTrunk, to);
  const std::string branch = branch_directory(options.from);
  if (copy.ok() && is_store_directory(branch))
    copy = copy_database(options, branch, StoreAccess::kReadOnly, branch_directory(to));
  if (!copy.ok() || !copy->partitions.empty()) return copy;
  return absl::NotFoundError(
      fmt::format("state directory {} is empty: nothing has been committed yet", options.from));
}

// Where both are there, as far as they are: links and dots are followed.
bool is_within(const fs::path& inner, const fs::path& outer) {
  std::error_code error;
  const fs::path in = fs::weakly_canonical(fs::absolute(inner), error);
  const fs::path out = fs::weakly_canonical(fs::absolute(outer), error);
  return std::mismatch(out.begin(), out.end(), in.begin(), in.end()).first == out.end();
}

absl::Status check_target(const std::string& to, const std::string& part, const std::string& from) {
  std::error_code error;
  for (const std::string& path : {to, part}) {
    if (!fs::exists(fs::symlink_status(path, error))) continue;
    return absl::FailedPreconditionError(
        fmt::format("{} is there already: a snapshot is only written to a new place", path));
  }
  if (!is_within(to, from)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      fmt::format("{} is inside the state directory {}", to, from));
}

// For its owner alone, whatever the umask: customers are in it. A missing folder above may be a
// disk that is not mounted.
absl::Status make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), S_IRWXU) == 0) return absl::OkStatus();
  const std::error_code error(errno, std::generic_category());
  const fs::path above = fs::absolute(path).parent_path();
  if (error == std::errc::no_such_file_or_directory) {
    return absl::FailedPreconditionError(
        fmt::format("{} cannot be made: there is no folder {} (a disk that is not mounted?)", path,
                    above.string()));
  }
  return absl::FailedPreconditionError(fmt::format("{} cannot be made: {}", path, error.message()));
}

}  // namespace

absl::StatusOr<StateCopy> copy_state(const StateCopyOptions& options) {
  if (!is_store_directory(options.from)) {
    return absl::NotFoundError(fmt::format(
        "{} is not a state directory: `run` and `replay --state` make one", options.from));
  }
  std::string to = fs::path(options.to).lexically_normal();
  if (to.size() > 1 && to.ends_with('/')) to.pop_back();
  const std::string part = to + ".part";
  if (const absl::Status fits = check_target(to, part, options.from); !fits.ok()) return fits;
  if (const absl::Status made = make_directory(part); !made.ok()) return made;
  absl::StatusOr<StateCopy> copy = copy_all(options, part);
  std::error_code error;
  if (copy.ok()) {
    fs::rename(part, to, error);
    if (!error) return copy;
    copy = absl::ResourceExhaustedError(
        fmt::format("{} cannot be renamed to {}: {}", part, to, error.message()));
  }
  fs::remove_all(part, error);
  return copy;
}

}  // namespace rfm
