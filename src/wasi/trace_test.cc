// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The lines of a trace, with what a hostile guest may put into them.
#include "wasi/trace.h"

#include <gmock/gmock.h>

#include "wasi/program_test.h"

namespace mayfly::wasi {
namespace {

using guest_abi::WasiPort;
using testing::MatchesRegex;

class TraceTest : public ProgramTest {
 protected:
  template <typename Request>
  std::string line_of(WasiPort port, const Request& request) {
    alignas(64) std::array<uint8_t, guest_abi::kRequestBytesMax> bytes{};
    std::memcpy(bytes.data(), &request, sizeof request);
    std::string lines;
    Trace trace(*context_, [&lines](std::string_view line) { lines += line; });
    runtime::PortContext context{guest_, std::nullopt, -1};
    (void)trace.handle(static_cast<uint32_t>(port), context, bytes);
    return lines;
  }
};

TEST_P(TraceTest, ShowsNameArgumentsResultAndTime) {
  guest_abi::WasiOpenRequest request{};
  request.directory = kRoot;
  request.path = put("file");
  request.access = guest_abi::kWasiReadable;
  EXPECT_THAT(line_of(WasiPort::kOpen, request),
              MatchesRegex("open\\(3, \"file\", 0, read\\) = [0-9]+ <[0-9]+ us>\n"));
}

TEST_P(TraceTest, ShowsAnErrorByItsName) {
  guest_abi::WasiPathRequest request{};
  request.directory = kRoot;
  request.path = put("nothing");
  EXPECT_THAT(line_of(WasiPort::kUnlink, request),
              MatchesRegex("unlink\\(3, \"nothing\"\\) = -1 ENOENT <[0-9]+ us>\n"));
}

TEST_P(TraceTest, PrintsNoControlCharacterOfTheGuest) {
  guest_abi::WasiPathRequest request{};
  request.directory = kRoot;
  request.path = put("\x1b[2Ja\nb");
  const std::string line = line_of(WasiPort::kUnlink, request);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

TEST_P(TraceTest, ShowsWhatTheGuestMayNotAskAndRangesThatAreNotItsOwn) {
  guest_abi::WasiPathRequest request{};
  request.directory = kRoot;
  request.path = {UINT64_MAX, UINT64_MAX};
  EXPECT_THAT(line_of(WasiPort::kUnlink, request), MatchesRegex("unlink\\(.*\n"));
  EXPECT_THAT(line_of(static_cast<WasiPort>(999), request), MatchesRegex("port 999\\(.*\n"));
  guest_abi::WasiTransferRequest transfer{};
  transfer.buffers_count = UINT32_MAX;
  EXPECT_THAT(line_of(WasiPort::kRead, transfer), MatchesRegex("read\\(.*\n"));
}

INSTANTIATE_TEST_SUITE_P(Methods, TraceTest, testing::Values(ResolveMethod::kWalk));

}  // namespace
}  // namespace mayfly::wasi
