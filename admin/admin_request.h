// A request to the admin listener and its answer, without HTTP's way of writing them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rfm {

struct AdminRequest {
  std::string method = "GET";
  std::string path;  // Without query, percent-decoded: any bytes.
  // In order of name, percent-decoded: any bytes.
  std::vector<std::pair<std::string, std::string>> parameters;
  std::string authorization;  // The header.
  std::string body;
};

// How long an answer may be kept.
enum class Keeping : std::uint8_t {
  kNot,
  kAsked,    // Each use asks first whether it still holds.
  kForEver,  // Under its name there will never be another.
};

struct AdminReply {
  int status = 200;
  std::string_view content_type;
  // Shared, because those who ask for the same get the same.
  std::shared_ptr<const std::string> body;
  std::string_view content_encoding = {};  // Empty: none.
  Keeping keeping = Keeping::kNot;
  std::string etag = {};        // Empty: none.
  std::string_view allow = {};  // The methods that are, where the one asked for is not.
};

inline constexpr std::string_view kPlainType = "text/plain; charset=utf-8";
inline constexpr std::string_view kJsonType = "application/json";

AdminReply text_reply(int status, std::string text);
// {"status": 404, "reason": "not_found", "detail": "..."}. `detail` is shown to people,
// and holds nothing of a customer.
AdminReply error_reply(int status, std::string_view reason, std::string_view detail);
// With an ETag.
AdminReply json_reply(std::string json);

}  // namespace rfm
