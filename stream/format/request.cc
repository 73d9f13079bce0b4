#include "stream/format/request.h"

#include <fmt/format.h>

#include "stream/format/log_fields.h"
#include "stream/text/json_text.h"

namespace rfm {
namespace {

constexpr int kFormat = 1;

void write(JsonText& out, const RulesRequest& request) {
  out.key("base").integer(request.base);
  out.key("settings").begin_object();
  for (const auto& [name, value] : request.settings) out.name(name).text(value);
  out.end_object();
}

void write(JsonText& out, const PromoteRequest& request) {
  out.key("trained_epoch").integer(request.epoch);
}

RulesRequest read_rules(LogFields& in) {
  RulesRequest request{.base = in.integer("base"), .settings = {}};
  LogFields settings = in.object("settings");
  for (const std::string_view name : settings.names())
    request.settings.emplace(name, settings.text(name));
  return request;
}

}  // namespace

std::pair<std::string, std::string> encode_request(const Request& request) {
  TextBuffer buffer;
  JsonText out(buffer);
  out.begin_object();
  out.key("format").integer(kFormat);
  std::visit([&](const auto& each) { write(out, each); }, request);
  out.end_object();
  const auto key = std::visit([](const auto& each) { return each.kKey; }, request);
  return {std::string(key), std::string(buffer.view())};
}

absl::StatusOr<Request> decode_request(std::string_view key, std::string_view value) {
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  if (parser.parse(value).get(json)) return absl::DataLossError("request: not JSON");
  std::string fault;
  LogFields in(simdjson::dom::element(json), "", fault);
  if (in.integer("format") != kFormat) in.fail("format", fmt::format("not {}", kFormat));
  Request request;
  if (key == RulesRequest::kKey) {
    request = read_rules(in);
  } else if (key == PromoteRequest::kKey) {
    request = PromoteRequest{.epoch = in.integer("trained_epoch")};
  } else {
    in.fail("", fmt::format("of a kind that is not known here: {}", key));
  }
  if (!fault.empty()) return absl::DataLossError(fmt::format("request: {}", fault));
  return request;
}

}  // namespace rfm
