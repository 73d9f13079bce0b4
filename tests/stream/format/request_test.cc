// Goal: what a command asks for reads back as it was; what no command wrote is refused by field.
#include "stream/format/request.h"

#include <gtest/gtest.h>

namespace rfm {
namespace {

TEST(Request, ComesBackAsItWas) {
  const RulesRequest rules{.base = 3, .settings = {{"rfm.monetary", "net"}, {"a \"b\"", "{}"}}};
  for (const Request& request : {Request(rules), Request(PromoteRequest{.epoch = 14'991})}) {
    const auto [key, value] = encode_request(request);
    const absl::StatusOr<Request> read = decode_request(key, value);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, request);
  }
}

TEST(Request, OfAnotherShapeIsRefusedWithTheField) {
  const auto refused = [](std::string_view text, std::string_view key = RulesRequest::kKey) {
    const absl::StatusOr<Request> read = decode_request(key, text);
    EXPECT_EQ(read.status().code(), absl::StatusCode::kDataLoss) << text;
    return std::string(read.status().message());
  };
  EXPECT_NE(refused("rules").find("not JSON"), std::string::npos);
  EXPECT_NE(refused(R"({"format":9,"base":1,"settings":{}})").find("format"), std::string::npos);
  EXPECT_NE(refused(R"({"format":1,"settings":{}})").find("base"), std::string::npos);
  EXPECT_NE(refused(R"({"format":1,"base":1})").find("settings"), std::string::npos);
  EXPECT_NE(refused(R"({"format":1,"base":1,"settings":{"a":1}})").find("settings.a"),
            std::string::npos);
  EXPECT_NE(refused(R"({"format":1})", PromoteRequest::kKey).find("trained_epoch"),
            std::string::npos);
  EXPECT_NE(refused(R"({"format":1})", "erase").find("erase"), std::string::npos);
}

}  // namespace
}  // namespace rfm
