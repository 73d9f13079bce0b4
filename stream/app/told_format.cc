#include "stream/app/told_format.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <variant>

#include "config/options.h"
#include "stream/decode/decoder.h"
#include "stream/file/file_source.h"

namespace rfm {
namespace {

constexpr std::size_t kRecordsLookedAt = 20;
// Where several fit alike, the first.
constexpr std::array<const char*, 3> kFormats = {"invoices", "lines", "csv"};

std::ptrdiff_t events_in(const std::string& path, DecoderOptions options) {
  const auto source = FileSource::open({.path = path,
                                        .format = options.format,
                                        .record_bytes_max = options.record_bytes_max,
                                        .csv = options.csv});
  if (!source.ok()) return 0;
  if (options.format == InputFormat::kCsv) options.csv_layout = (*source)->csv_layout();
  const auto records = (*source)->read(0, kRecordsLookedAt);
  if (!records.ok()) return 0;
  Decoder decoder(std::move(options));
  return std::ranges::count_if(*records, [&](const RecordView& record) {
    return !std::holds_alternative<Rejection>(decoder.decode(record));
  });
}

}  // namespace

std::optional<std::string> told_format(const std::string& path, Settings settings) {
  std::error_code unknown;
  if (!std::filesystem::is_regular_file(path, unknown)) return std::nullopt;
  std::optional<std::string> told;
  std::ptrdiff_t most = 0;
  for (const char* const format : kFormats) {
    if (!settings.assign("input.format", format, SettingOrigin::kOverride, path).ok()) continue;
    const std::ptrdiff_t events = events_in(path, decoder_options(settings, KeyPolicy::kIfPresent));
    if (events <= most) continue;
    most = events;
    told = format;
  }
  return told;
}

}  // namespace rfm
