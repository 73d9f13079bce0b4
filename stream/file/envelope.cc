#include "stream/file/envelope.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"

namespace rfm {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::array<std::string_view, 4> kMembers = {"key\"", "headers\"", "value\"",
                                                      "value_base64\""};

constexpr std::string_view kFirstCharacters = "khv";  // Of them.

constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

bool looks_like_envelope(std::string_view line) {
  std::size_t next = 0;
  for (const char expected : {'{', '"'}) {
    while (next < line.size() && is_space(line[next])) ++next;
    if (next == line.size() || line[next] != expected) return false;
    ++next;
  }
  const std::string_view rest = line.substr(next);
  // Hardly any line gets past this.
  if (rest.empty() || kFirstCharacters.find(rest.front()) == std::string_view::npos) return false;
  return std::any_of(kMembers.begin(), kMembers.end(),
                     [rest](std::string_view member) { return rest.starts_with(member); });
}

class EnvelopeReader::Implementation {
 public:
  std::optional<RecordView> read(std::string_view line) {
    if (padded_.size() < line.size() + simdjson::SIMDJSON_PADDING) {
      padded_.resize(2 * line.size() + simdjson::SIMDJSON_PADDING);
    }
    line.copy(padded_.data(), line.size());
    ondemand::document document;
    ondemand::object object;
    if (parser_.iterate(padded_.data(), line.size(), padded_.size()).get(document))
      return std::nullopt;
    if (document.get_object().get(object)) return std::nullopt;

    RecordView record;
    bool has_value = false;
    for (auto next : object) {
      ondemand::field member;
      std::string_view name;
      if (std::move(next).get(member) || member.unescaped_key().get(name)) return std::nullopt;
      ondemand::value value = member.value();
      bool ok = true;
      if (name == "key") {
        ok = read_string(value, record.key);
      } else if (name == "headers") {
        ok = read_headers(value, record);
      } else if (name == "value") {
        has_value = true;
        ok = read_value(line, value, record.value);
      } else if (name == "value_base64") {
        has_value = true;
        ok = read_base64(value, record.value);
      }
      if (!ok) return std::nullopt;
    }
    if (!has_value || document.current_location().error() != simdjson::OUT_OF_BOUNDS)
      return std::nullopt;
    return record;
  }

  void clear() {
    strings_.clear();
    headers_.clear();
  }

 private:
  std::string_view keep(std::string_view text) { return strings_.emplace_back(text); }

  // A string or null.
  bool read_string(ondemand::value& value, std::optional<std::string_view>& result) {
    ondemand::json_type type{};
    if (value.type().get(type)) return false;
    if (type == ondemand::json_type::null) return value.is_null();
    std::string_view text;
    if (value.get_string().get(text)) return false;
    result = keep(text);
    return true;
  }

  bool read_headers(ondemand::value& value, RecordView& record) {
    ondemand::json_type type{};
    ondemand::object object;
    if (value.type().get(type)) return false;
    if (type == ondemand::json_type::null) return value.is_null();
    if (value.get_object().get(object)) return false;
    std::vector<RecordHeader>& headers = headers_.emplace_back();
    for (auto next : object) {
      ondemand::field member;
      std::string_view name;
      if (std::move(next).get(member) || member.unescaped_key().get(name)) return false;
      RecordHeader header{.name = keep(name), .value = std::nullopt};
      if (!read_string(member.value(), header.value)) return false;
      headers.push_back(header);
    }
    record.headers = LazyHeaders(headers);
    return true;
  }

  bool read_value(std::string_view line, ondemand::value& value,
                  std::optional<std::string_view>& result) {
    ondemand::json_type type{};
    if (value.type().get(type)) return false;
    std::string_view raw = value.raw_json_token();
    ondemand::object object;
    switch (type) {
      case ondemand::json_type::null:
        return value.is_null();
      case ondemand::json_type::string:
        return read_string(value, result);
      case ondemand::json_type::object:
        if (value.get_object().get(object) || object.raw_json().get(raw)) return false;
        break;
      case ondemand::json_type::array:
      case ondemand::json_type::number:
      case ondemand::json_type::boolean:
        return false;
    }
    result = line.substr(static_cast<std::size_t>(raw.data() - padded_.data()), raw.size());
    return true;
  }

  bool read_base64(ondemand::value& value, std::optional<std::string_view>& result) {
    std::string_view text;
    std::string bytes;
    if (value.get_string().get(text)) return false;
    if (!absl::Base64Unescape(absl::string_view(text.data(), text.size()), &bytes)) return false;
    result = strings_.emplace_back(std::move(bytes));
    return true;
  }

  ondemand::parser parser_;
  std::vector<char> padded_;
  // Deques, since their elements stay where they are.
  std::deque<std::string> strings_;
  std::deque<std::vector<RecordHeader>> headers_;
};

EnvelopeReader::EnvelopeReader() : implementation_(std::make_unique<Implementation>()) {}
EnvelopeReader::~EnvelopeReader() = default;

std::optional<RecordView> EnvelopeReader::read(std::string_view line) {
  return implementation_->read(line);
}

void EnvelopeReader::clear() { implementation_->clear(); }

}  // namespace rfm
