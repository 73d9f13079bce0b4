#include "stream/file/model_log_file.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "stream/file/envelope.h"

namespace rfm {

absl::StatusOr<ModelLog> read_model_log_file(const std::string& path) {
  std::ifstream in(path);
  if (!in) return absl::NotFoundError(fmt::format("model log {} cannot be read", path));
  std::vector<ModelLogRecord> records;
  EnvelopeReader reader;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const std::optional<RecordView> record = reader.read(line);
    if (!record || !record->key || !record->value)
      return absl::DataLossError(fmt::format("{}:{}: not a record of a model log", path, number));
    records.push_back({std::string(*record->key), std::string(*record->value)});
  }
  return decode_model_log(records);
}

absl::Status write_model_log_file(const std::string& path, const ModelLog& log) {
  const std::string part = path + ".part";
  std::ofstream out(part, std::ios::trunc);
  const auto write = [&](const ModelLogRecord& record) {
    out << fmt::format("{{\"key\":\"{}\",\"headers\":{{}},\"value\":{}}}\n", record.key,
                       record.value);
  };
  for (const RulesRecord& rules : log.rules) write(encode_rules(rules));
  for (const ModelVersion& version : log.versions) write(encode_version(version));
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(part, path, error);
  if (!out || error)
    return absl::InternalError(fmt::format("model log {} cannot be written", path));
  return absl::OkStatus();
}

}  // namespace rfm
