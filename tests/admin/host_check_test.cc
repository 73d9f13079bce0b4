// Goal: nobody reads what is here under a name that may be another's.
#include "admin/host_check.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string_view>

namespace rfm {
namespace {

constexpr bool kLoopback = true;

TEST(HostCheck, OnLoopbackItsOwnNamesAndAddresses) {
  const HostCheck check({"Shop.example.com"}, kLoopback);
  for (const std::string_view host :
       {"localhost", "localhost.", "LocalHost:7367", "127.0.0.1", "127.8.9.1:80", "[::1]",
        "[0:0:0:0:0:0:0:1]:7367", "[::ffff:127.0.0.1]:1", "shop.example.com",
        "SHOP.example.com.:1"})
    EXPECT_TRUE(check.is_known(host)) << host;
  for (const std::string_view host :
       {"", ".", "example.com", "127.example.com", "localhost.example.com", "10.0.0.1", "[::2]",
        "127.", "127.0.0.1:7367:evil", "localhost:x", "[localhost].evil.com", "[localhost]",
        "[::1].evil.com", "[::1", "::1", "shop.example.com.evil.com"}) {
    EXPECT_FALSE(check.is_known(host)) << host;
  }
}

TEST(HostCheck, ElsewhereEveryAddressAndNamesThatAreListed) {
  const HostCheck check({"rfmstream"}, !kLoopback);
  for (const std::string_view host :
       {"10.0.0.1:7367", "[2001:db8::1]", "rfmstream:7367", "localhost"})
    EXPECT_TRUE(check.is_known(host)) << host;
  for (const std::string_view host : {"evil.example", "10.0.0.1.evil.example", "10.0.0", ""})
    EXPECT_FALSE(check.is_known(host)) << host;
}

TEST(HostCheck, WhatTheSocketIsBoundToDecides) {
  const auto is_loopback = [](const auto& address, int family) {
    const int socket = ::socket(family, SOCK_STREAM, 0);
    EXPECT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const bool result = HostCheck::is_bound_to_loopback(socket);
    ::close(socket);
    return result;
  };
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  EXPECT_FALSE(is_loopback(v4, AF_INET));
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_TRUE(is_loopback(v4, AF_INET));
}

}  // namespace
}  // namespace rfm
