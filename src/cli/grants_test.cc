// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is read from --dir and --tcplisten, and what is refused.
#include "cli/grants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mayfly::cli {
namespace {

using testing::HasSubstr;
using wasi::TreeAccess;

TEST(Grants, ReadADirectoryWithAndWithoutANameOfItsOwn) {
  const wasi::Preopen same = parse_directory("data");
  EXPECT_EQ(same.host_path, "data");
  EXPECT_EQ(same.guest_path, "data");
  EXPECT_EQ(same.access, TreeAccess::kReadWrite);
  const wasi::Preopen named = parse_directory("/srv/a::/data");
  EXPECT_EQ(named.host_path, "/srv/a");
  EXPECT_EQ(named.guest_path, "/data");
  EXPECT_EQ(named.access, TreeAccess::kReadWrite);
}

TEST(Grants, ReadADirectoryThatIsReadOnly) {
  const wasi::Preopen same = parse_directory("data:ro");
  EXPECT_EQ(same.host_path, "data");
  EXPECT_EQ(same.access, TreeAccess::kReadOnly);
  const wasi::Preopen named = parse_directory("/srv/a::/data:ro");
  EXPECT_EQ(named.host_path, "/srv/a");
  EXPECT_EQ(named.guest_path, "/data");
  EXPECT_EQ(named.access, TreeAccess::kReadOnly);
}

TEST(Grants, NameADirectoryInMemory) {
  const auto plain = parse_memory_directory("/tmp");
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->guest_path, "/tmp");
  EXPECT_EQ(plain->bytes_max, uint64_t{64} << 20);
  const auto sized = parse_memory_directory("/a:b:2MiB");
  ASSERT_TRUE(sized.has_value());
  EXPECT_EQ(sized->guest_path, "/a:b");
  EXPECT_EQ(sized->bytes_max, uint64_t{2} << 20);
  for (const char* text : {"", ":1MiB", "/tmp:", "/tmp:x", "/tmp:0"}) {
    const auto directory = parse_memory_directory(text);
    ASSERT_FALSE(directory.has_value()) << text;
    EXPECT_THAT(directory.error().message, HasSubstr("--tmpfs"));
  }
}

TEST(Grants, ListenOnAnAddressOfEitherKind) {
  EXPECT_TRUE(listen_on("127.0.0.1:0").has_value());
  const auto six = listen_on("[::1]:0");
  EXPECT_TRUE(six.has_value() || six.error().kind == ErrorKind::kHost);
}

TEST(Grants, RefuseWhatIsNoAddress) {
  for (const char* text : {"", "8080", "localhost:8080", "127.0.0.1:", "127.0.0.1:65536",
                           "127.0.0.1:1x", "127.0.0.1:-1", "::1:80", "[]:80", "[127.0.0.1]:80"}) {
    const auto socket = listen_on(text);
    ASSERT_FALSE(socket.has_value()) << text;
    EXPECT_EQ(socket.error().kind, ErrorKind::kInvalid) << text;
    EXPECT_THAT(socket.error().message, HasSubstr("--tcplisten"));
  }
}

}  // namespace
}  // namespace mayfly::cli
