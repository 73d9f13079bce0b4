// Goal: what a command asks for reads back as it was; what no command wrote is refused by field.
#include "stream/format/request.h"

#include <gtest/gtest.h>

namespace rfm {
namespace {

TEST(Request, ComesBackAsItWas) {
  const RulesRequest request{.base = 3, .settings = {{"rfm.monetary", "net"}, {"a \"b\"", "{}"}}};
  const absl::StatusOr<RulesRequest> read = decode_rules_request(encode_request(request));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, request);
}

TEST(Request, OfAnotherShapeIsRefusedWithTheField) {
  const auto refused = [](std::string_view text) {
    const absl::StatusOr<RulesRequest> read = decode_rules_request(text);
    EXPECT_EQ(read.status().code(), absl::StatusCode::kDataLoss) << text;
    return std::string(read.status().message());
  };
  EXPECT_NE(refused("rules").find("not JSON"), std::string::npos);
  EXPECT_NE(refused(R"({"format":9,"base":1,"settings":{}})").find("format"), std::string::npos);
  EXPECT_NE(refused(R"({"format":1,"settings":{}})").find("base"), std::string::npos);
  EXPECT_NE(refused(R"({"format":1,"base":1})").find("settings"), std::string::npos);
  EXPECT_NE(refused(R"({"format":1,"base":1,"settings":{"a":1}})").find("settings.a"),
            std::string::npos);
}

}  // namespace
}  // namespace rfm
