#include "stream/run/whole_store.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <system_error>
#include <thread>

namespace rfm {
namespace {

constexpr int kOpensMax = 100;
constexpr std::chrono::milliseconds kOpenPause{50};

// What of a database's directory says which records it holds: its logs and its list of tables,
// which grows whenever they change. Also of a branch, which is what may be read.
std::map<std::string, std::uintmax_t> files_that_tell(const std::string& directory) {
  std::map<std::string, std::uintmax_t> files;
  for (const std::string& part : {directory, branch_directory(directory)}) {
    std::error_code error;
    for (std::filesystem::directory_iterator entry(part, error), end; entry != end;
         entry.increment(error)) {
      const std::string name = entry->path().filename();
      const bool is_log = name.ends_with(".log");
      if (is_log || name.starts_with("MANIFEST") || name == "CURRENT")
        files[entry->path()] = is_log ? 0 : entry->file_size(error);
      if (error) break;
    }
  }
  return files;
}

}  // namespace

// A reader takes the list of tables first and the logs after that. What its owner moves from a log
// to a table in between would be in neither: then it is opened again.
absl::StatusOr<std::unique_ptr<RocksdbStateStore>> open_whole_store(const std::string& directory,
                                                                    StoreAccess access) {
  absl::Status last;
  for (int i = 0; i < kOpensMax; ++i) {
    const auto before = files_that_tell(directory);
    absl::StatusOr<std::unique_ptr<RocksdbStateStore>> store =
        open_rocksdb_store({.directory = directory, .access = access});
    if (before == files_that_tell(directory)) return store;
    last = store.status();
    std::this_thread::sleep_for(kOpenPause);
  }
  return absl::UnavailableError(
      fmt::format("state directory {}: its files changed each of the {} times it was opened; try "
                  "again when less is written{}{}",
                  directory, kOpensMax, last.ok() ? "" : ": ", std::string(last.message())));
}

}  // namespace rfm
