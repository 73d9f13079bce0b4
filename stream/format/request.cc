#include "stream/format/request.h"

#include <fmt/format.h>

#include "stream/format/log_fields.h"
#include "stream/text/json_text.h"

namespace rfm {
namespace {

constexpr int kFormat = 1;

}  // namespace

std::string encode_request(const RulesRequest& request) {
  TextBuffer buffer;
  JsonText out(buffer);
  out.begin_object();
  out.key("format").integer(kFormat);
  out.key("base").integer(request.base);
  out.key("settings").begin_object();
  for (const auto& [name, value] : request.settings) out.name(name).text(value);
  out.end_object();
  out.end_object();
  return std::string(buffer.view());
}

absl::StatusOr<RulesRequest> decode_rules_request(std::string_view value) {
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  if (parser.parse(value).get(json)) return absl::DataLossError("request: not JSON");
  std::string fault;
  LogFields in(simdjson::dom::element(json), "", fault);
  RulesRequest request;
  if (in.integer("format") != kFormat) in.fail("format", fmt::format("not {}", kFormat));
  request.base = in.integer("base");
  LogFields settings = in.object("settings");
  for (const std::string_view name : settings.names())
    request.settings.emplace(name, settings.text(name));
  if (!fault.empty()) return absl::DataLossError(fmt::format("request: {}", fault));
  return request;
}

}  // namespace rfm
