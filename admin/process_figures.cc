#include "admin/process_figures.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace rfm {
namespace {

// Places in /proc/self/stat behind the command's name (proc(5) counts from 1, and that is 2).
constexpr std::size_t kUserTicks = 14 - 3;
constexpr std::size_t kSystemTicks = 15 - 3;
constexpr std::size_t kStartTicks = 22 - 3;
constexpr std::size_t kVirtualBytes = 23 - 3;
constexpr std::size_t kResidentPages = 24 - 3;

std::string content_of(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

double boot_time_seconds() {
  std::istringstream lines(content_of("/proc/stat"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("btime ")) return std::stod(line.substr(6));
  }
  return 0;
}

}  // namespace

std::optional<ProcessFigures> process_figures() {
  const std::string stat = content_of("/proc/self/stat");
  const std::size_t name_end = stat.rfind(')');  // The name may hold anything.
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream words(stat.substr(name_end + 1));
  const std::vector<std::string> fields{std::istream_iterator<std::string>(words), {}};
  if (fields.size() <= kResidentPages) return std::nullopt;
  const auto field = [&](std::size_t place) { return std::stoull(fields[place]); };
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  ProcessFigures figures;
  figures.cpu_seconds = static_cast<double>(field(kUserTicks) + field(kSystemTicks)) / ticks;
  static const double booted = boot_time_seconds();
  figures.start_time_seconds = booted + static_cast<double>(field(kStartTicks)) / ticks;
  figures.virtual_bytes = field(kVirtualBytes);
  figures.resident_bytes =
      field(kResidentPages) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end;
       !error && entry != end; entry.increment(error))
    ++figures.open_files;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) figures.files_max = files.rlim_cur;
  return figures;
}

}  // namespace rfm
