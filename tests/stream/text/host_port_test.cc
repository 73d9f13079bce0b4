// Goal: what can be listened at is read as it is meant, all else is refused.
#include "stream/text/host_port.h"

#include <gtest/gtest.h>

namespace rfm {
namespace {

TEST(HostPort, ReadsHostAndPort) {
  const auto read = [](std::string_view text) {
    const auto parsed = parse_host_port(text);
    return parsed ? parsed->host + " " + std::to_string(parsed->port) : "";
  };
  EXPECT_EQ(read("127.0.0.1:7367"), "127.0.0.1 7367");
  EXPECT_EQ(read("[::1]:0"), "::1 0");
  EXPECT_EQ(read("localhost:65535"), "localhost 65535");
}

TEST(HostPort, RefusesAllElse) {
  for (const std::string_view text :
       {"", ":", "7367", ":7367", "localhost", "localhost:", "localhost:65536", "localhost:-1",
        "localhost:+1", "localhost:1x", "localhost: 1", "::1:7367", "[]:1", "[::1]", "[::1:1",
        "a b:1", "a\n:1", "[[::1]]:1"})
    EXPECT_FALSE(parse_host_port(text)) << text;
}

}  // namespace
}  // namespace rfm
