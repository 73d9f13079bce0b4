#include "admin/admin_request.h"

#include <fmt/format.h>

#include "state/hashes.h"
#include "stream/text/json_text.h"
#include "stream/text/text_buffer.h"

namespace rfm {

AdminReply text_reply(int status, std::string text) {
  return {.status = status,
          .content_type = kPlainType,
          .body = std::make_shared<const std::string>(std::move(text))};
}

AdminReply error_reply(int status, std::string_view reason, std::string_view detail) {
  TextBuffer text;
  JsonText json(text);
  json.begin_object();
  json.key("status").integer(status);
  json.key("reason").text(reason);
  json.key("detail").text(detail);
  json.end_object();
  return {.status = status,
          .content_type = kJsonType,
          .body = std::make_shared<const std::string>(std::string(text.view()) + '\n')};
}

AdminReply json_reply(std::string json) {
  if (!json.ends_with('\n')) json += '\n';
  std::string etag = fmt::format("\"{:016x}\"", record_hash(json));
  return {.content_type = kJsonType,
          .body = std::make_shared<const std::string>(std::move(json)),
          .keeping = Keeping::kAsked,
          .etag = std::move(etag)};
}

}  // namespace rfm
