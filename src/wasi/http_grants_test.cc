// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What grants allow, by name and by address, and which spellings of both there are.
#include "wasi/http_grants.h"

#include <gtest/gtest.h>

namespace mayfly::wasi {
namespace {

HttpGrants grants(const std::vector<std::string>& texts) {
  auto parsed = HttpGrants::parse(texts);
  EXPECT_TRUE(parsed.has_value()) << parsed.error().message;
  return *std::move(parsed);
}

bool allows(const std::vector<std::string>& texts, std::string_view authority) {
  const auto target = parse_authority(authority, 80);
  EXPECT_TRUE(target.has_value()) << authority;
  return grants(texts).allows(*target);
}

// Of a connection that a target's name leads to.
bool connects(const std::vector<std::string>& texts, std::string_view authority,
              const std::string& address) {
  const auto target = parse_authority(authority, 80);
  EXPECT_TRUE(target.has_value()) << authority;
  const HttpGrants parsed = grants(texts);
  return parsed.allows(*target) && parsed.allows_address(*target, *IpAddress::parse(address));
}

TEST(HttpGrants, AllowNothingUnlessTold) {
  EXPECT_FALSE(allows({}, "example.org"));
  EXPECT_FALSE(allows({"example.org"}, "example.com"));
}

TEST(HttpGrants, ANameIsThatNameAtAllPortsOrAtOne) {
  EXPECT_TRUE(allows({"example.org"}, "EXAMPLE.org.:8080"));
  EXPECT_FALSE(allows({"example.org"}, "www.example.org"));
  EXPECT_FALSE(allows({"example.org"}, "badexample.org"));
  EXPECT_TRUE(allows({"example.org:80"}, "example.org"));
  EXPECT_FALSE(allows({"example.org:80"}, "example.org:81"));
}

TEST(HttpGrants, AStarIsTheNamesBeneathOrAll) {
  EXPECT_TRUE(allows({"*.example.org"}, "a.b.example.org"));
  EXPECT_FALSE(allows({"*.example.org"}, "example.org"));
  EXPECT_FALSE(allows({"*.example.org"}, "badexample.org"));
  EXPECT_TRUE(allows({"*"}, "example.org:1"));
  EXPECT_FALSE(allows({"*:443"}, "example.org:1"));
}

TEST(HttpGrants, AnAddressIsTheSameInAllItsForms) {
  EXPECT_TRUE(allows({"127.0.0.1:80"}, "127.0.0.1"));
  EXPECT_TRUE(allows({"127.0.0.1"}, "[::ffff:127.0.0.1]:99"));
  EXPECT_TRUE(allows({"10.0.0.0/8"}, "10.9.8.7"));
  EXPECT_FALSE(allows({"10.0.0.0/8"}, "11.0.0.1"));
  EXPECT_TRUE(allows({"[fd00::1]:80"}, "[fd00:0:0::1]"));
  EXPECT_TRUE(allows({"fd00::/8"}, "[fdab::1]"));
  EXPECT_FALSE(allows({"fd00::/8"}, "[fe80::1]"));
}

TEST(HttpGrants, APrefixOfNoBitsIsAllAddressesOfItsKind) {
  EXPECT_TRUE(allows({"0.0.0.0/0"}, "10.9.8.7"));
  EXPECT_TRUE(connects({"example.org", "0.0.0.0/0"}, "example.org", "10.9.8.7"));
  EXPECT_FALSE(allows({"0.0.0.0/0"}, "[::1]"));
  EXPECT_TRUE(allows({"[::/0]:80"}, "[fe80::1]"));
  EXPECT_FALSE(allows({"::/0"}, "10.9.8.7"));
}

TEST(HttpGrants, PrivateAddressesAreReachedOnlyWhereOneIsNamed) {
  for (const char* address : {"127.0.0.1",
                              "10.1.2.3",
                              "172.16.0.1",
                              "192.168.1.1",
                              "169.254.169.254",
                              "100.64.0.1",
                              "0.0.0.0",
                              "224.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "fe80::1",
                              "fd00::1",
                              "ff02::1",
                              "::ffff:10.0.0.1",
                              "64:ff9b::7f00:1",
                              "2002:7f00:1::",
                              "2001::1",
                              "2001:db8::1",
                              "::127.0.0.1"}) {
    EXPECT_FALSE(connects({"*"}, "example.org", address)) << address;
    EXPECT_FALSE(connects({"example.org"}, "example.org", address)) << address;
    EXPECT_TRUE(connects({"example.org", address}, "example.org", address)) << address;
  }
  EXPECT_TRUE(connects({"*"}, "example.org", "1.1.1.1"));
  EXPECT_TRUE(connects({"*"}, "example.org", "2606:4700::1111"));
  EXPECT_TRUE(connects({"*"}, "example.org", "64:ff9b::101:101"));
  EXPECT_FALSE(connects({"example.org", "10.0.0.1:81"}, "example.org:80", "10.0.0.1"));
}

TEST(HttpGrants, LocalhostIsLoopbackAndNothingElse) {
  EXPECT_TRUE(connects({"localhost:80"}, "localhost", "127.0.0.1"));
  EXPECT_TRUE(connects({"localhost"}, "localhost:9", "::1"));
  EXPECT_FALSE(connects({"localhost"}, "localhost", "10.0.0.1"));
  EXPECT_FALSE(connects({"*"}, "localhost", "127.0.0.1"));
  EXPECT_FALSE(connects({"a.localhost"}, "a.localhost", "127.0.0.1"));
}

TEST(HttpGrants, OtherTextsAreNoGrants) {
  for (const char* text :
       {"",           ":80",    "a b",         "http://a",  "a/b",    "a:0",
        "a:65536",    "a:b",    "*a",          "a.*",       "a..b",   "[a]",
        "[::1",       "[::1]x", "10.0.0.0/33", "10.0.0.0/", "127.1",  "user@a",
        "fd00::/129", "*.",     "0x7f000001",  "-a",        "a-.org", "127.0.0.1.",
        "a..",        "."}) {
    const std::vector<std::string> texts = {text};
    EXPECT_FALSE(HttpGrants::parse(texts).has_value()) << text;
  }
}

TEST(HttpGrants, AuthoritiesHaveOneReading) {
  for (const char* text : {"",
                           "a:",
                           "a:0",
                           "user@a",
                           "user:word@a",
                           "a/b",
                           "a?b",
                           "a#b",
                           "a\\b",
                           "127.1",
                           "2130706433",
                           "0x7f.1",
                           "0177.0.0.1.",
                           "127.0.0.1.",
                           "0x7f",
                           "a..",
                           ".",
                           "-a",
                           "1.2.3.4.5",
                           "[::1",
                           "::1",
                           "[fe80::1%eth0]",
                           "[127.0.0.1]",
                           "a..b",
                           ".a",
                           "a%2eb",
                           "a b",
                           "\xC3\xA9"}) {
    EXPECT_FALSE(parse_authority(text, 80).has_value()) << text;
  }
  const auto target = parse_authority("[2001:DB8::1]:8080", 80);
  ASSERT_TRUE(target.has_value());
  EXPECT_EQ(target->authority(), "[2001:db8::1]:8080");
  EXPECT_EQ(parse_authority("A.Example.", 443)->authority(), "a.example:443");
}

}  // namespace
}  // namespace mayfly::wasi
