// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A guest that calls the WASI ports as it likes.
//
// Strategy: the input is a series of calls to a program with one preopened directory, which may use
// TCP and UDP at 127.0.0.1, look up no name but "localhost", ask two servers for HTTP: one at
// 127.0.0.1 that accepts and says nothing, and one where nobody listens; and may log and read its
// configuration. Each is
// either a request built from plausible parts (handles that may be open, paths of components that
// lead in and out, ranges that mostly lie in memory) or raw bytes at any port. Before each the
// guest may leave records written behind, plausible ones or raw words about them, which the host
// takes. Invariants: every call returns; what it puts back lies in the request; the host reads and
// writes guest memory inside its bounds only (ASan); what was taken of the records, or refused, is
// not looked at again; beside the preopened directory nothing changes; no socket is bound to or
// connected with another address than the granted ones; no exchange begins with another server.
#include <arpa/inet.h>
#include <fcntl.h>
#include <fuzzer/FuzzedDataProvider.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "wasi/context.h"
#include "wasi/listener_test.h"

namespace mayfly::wasi {
namespace {

namespace fs = std::filesystem;
using guest_abi::WasiPort;
using guest_abi::WasiRange;

constexpr uint64_t kBase = 0x1000'0000;
constexpr size_t kPlainBytes = 1 << 16;
constexpr uint64_t kBehindBuffer = kBase + kPlainBytes;
constexpr size_t kGuestBytes = kPlainBytes + guest_abi::kBehindBufferBytes;

constexpr const char* kNobodysAuthority = "127.0.0.1:9";
constexpr WasiAddress kLoopback4{{127, 0, 0, 1}, 0, 0, 0, 4, 0};
constexpr WasiAddress kLoopback6{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 0, 0, 0, 6, 0};

class FuzzGuest final : public runtime::GuestAccess {
 public:
  Result<void> read(uint64_t address, std::span<uint8_t> to) const override {
    if (!contains(address, to.size())) return invalid("outside");
    if (!to.empty()) std::memcpy(to.data(), &bytes_[address - kBase], to.size());
    return {};
  }
  Result<void> write(uint64_t address, std::span<const uint8_t> from) override {
    if (!contains(address, from.size())) return invalid("outside");
    if (!from.empty()) std::memcpy(&bytes_[address - kBase], from.data(), from.size());
    return {};
  }
  Result<std::span<uint8_t>> view(uint64_t address, uint64_t bytes) override {
    if (!contains(address, bytes)) return invalid("outside");
    return std::span<uint8_t>(bytes_).subspan(address - kBase, bytes);
  }
  WasiRange put(const std::string& text) {
    std::memcpy(bytes_.data(), text.data(), text.size());
    return {kBase, text.size()};
  }

 private:
  static bool contains(uint64_t address, uint64_t bytes) {
    return address >= kBase && bytes <= kGuestBytes && address - kBase <= kGuestBytes - bytes;
  }
  std::vector<uint8_t> bytes_ = std::vector<uint8_t>(kGuestBytes);
};

class FuzzBehind final : public runtime::BehindAccess {
 public:
  FuzzBehind() { words_.buffer = kBehindBuffer; }
  guest_abi::WriteBehind& words() override { return words_; }
  void watch() override {}

 private:
  guest_abi::WriteBehind words_{};
};

// Syncing to a disk would be most of the time.
fs::path in_memory() {
  const fs::path memory = "/dev/shm";
  return fs::is_directory(memory) ? memory : fs::temp_directory_path();
}

// The directories live as long as the fuzzer; what is in the preopened one is removed each time.
class Sandbox {
 public:
  Sandbox() {
    std::string pattern = (in_memory() / "mayfly-fuzz-XXXXXX").string();
    CHECK(mkdtemp(pattern.data()) != nullptr, errno);
    base_ = pattern;
    fs::create_directory(base_ / "outside");
    std::ofstream(base_ / "outside/secret") << "secret";
    // A file that grows past it gets an errno: the fuzzer must not fill the disk.
    const rlimit file_limit{1 << 20, 1 << 20};
    CHECK(setrlimit(RLIMIT_FSIZE, &file_limit) == 0, errno);
    std::signal(SIGXFSZ, SIG_IGN);
  }
  ~Sandbox() { fs::remove_all(base_); }
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;
  std::string root() const { return (base_ / "root").string(); }
  void refill() const {
    fs::remove_all(base_ / "root");
    fs::create_directories(base_ / "root/dir/nested");
    std::ofstream(base_ / "root/file") << "content";
    fs::create_symlink("../outside", base_ / "root/out");
    fs::create_symlink("/", base_ / "root/absolute");
    fs::create_symlink("dir", base_ / "root/in");
  }
  void check_outside() const {
    size_t count = 0;
    for (const auto& entry : fs::directory_iterator(base_ / "outside")) {
      CHECK(entry.path().filename() == "secret");
      ++count;
    }
    CHECK(count == 1, count);
    std::ifstream secret(base_ / "outside/secret");
    std::string text;
    CHECK(static_cast<bool>(secret >> text) && text == "secret", text);
    for (const auto& entry : fs::directory_iterator(base_)) {
      const auto name = entry.path().filename();
      CHECK(name == "outside" || name == "root", name.string());
    }
  }

 private:
  fs::path base_;
};

class Calls {
 public:
  Calls(FuzzedDataProvider& data, FuzzGuest& guest, std::string http_authority)
      : data_(data), guest_(guest), http_authority_(std::move(http_authority)) {}

  // What the guest wrote behind since the last call.
  void write_behind(guest_abi::WriteBehind& words) {
    if (words.consumed == words.produced && data_.ConsumeBool()) words.base = words.produced;
    const int count = data_.ConsumeIntegralInRange(0, 4);
    for (int i = 0; i < count; ++i) leave(words, record());
    if (data_.ConsumeIntegralInRange(0, 7) != 0) return;
    uint64_t* const word = data_.PickValueInArray({&words.buffer, &words.base, &words.produced});
    *word = data_.ConsumeBool() ? data_.ConsumeIntegral<uint64_t>()
                                : *word + data_.ConsumeIntegralInRange<uint64_t>(0, 64) - 32;
  }

  // A request for the port, from plausible parts.
  void fill(WasiPort port, std::span<uint8_t> request) {
    if (data_.ConsumeBool()) {
      const auto raw = data_.ConsumeBytes<uint8_t>(request.size());
      if (!raw.empty()) std::memcpy(request.data(), raw.data(), raw.size());
      return;
    }
    switch (port) {
      case WasiPort::kOpen:
        return put(request, open());
      case WasiPort::kRead:
      case WasiPort::kWrite:
      case WasiPort::kReceive:
      case WasiPort::kSend:
        return put(request, transfer());
      case WasiPort::kSymlink:
      case WasiPort::kLink:
      case WasiPort::kRename:
        return put(request, two_paths());
      case WasiPort::kPathStat:
        return put(request, path_stat());
      case WasiPort::kReadDirectory:
        return put(request, read_directory());
      case WasiPort::kSocket:
        return put(request, socket());
      case WasiPort::kBind:
      case WasiPort::kConnect:
      case WasiPort::kSocketAddress:
        return put(request, with_address());
      case WasiPort::kSocketOption:
        return put(request, option());
      case WasiPort::kSendDatagrams:
      case WasiPort::kReceiveDatagrams:
        return put(request, datagrams());
      case WasiPort::kResolve:
        return put(request, resolve());
      case WasiPort::kHttpStart:
        return put(request, http_start());
      case WasiPort::kHttpTake:
        return put(request, http_take());
      case WasiPort::kHttpFinish:
        return put(request, http_finish());
      case WasiPort::kPoll:
        return put(request, poll());
      case WasiPort::kLog:
        return put(request, log());
      case WasiPort::kConfigGet:
      case WasiPort::kConfigAll:
        return put(request, configuration());
      case WasiPort::kBucketOpen:
        return put(request, resolve());
      case WasiPort::kBucketGet:
      case WasiPort::kBucketSet:
      case WasiPort::kBucketDelete:
      case WasiPort::kBucketExists:
      case WasiPort::kBucketKeys:
      case WasiPort::kBucketIncrement:
        return put(request, entry());
      default:
        return put(request, one_path());
    }
  }

 private:
  template <typename Request>
  static void put(std::span<uint8_t> to, const Request& request) {
    std::memcpy(to.data(), &request, sizeof request);
  }
  guest_abi::BehindRecord record() {
    guest_abi::BehindRecord record{handle(), data_.ConsumeIntegralInRange<uint32_t>(1, 300), 0};
    if (data_.ConsumeIntegralInRange(0, 15) == 0) record.bytes = data_.ConsumeIntegral<uint32_t>();
    record.position = data_.ConsumeBool() ? guest_abi::kBehindHostPosition
                                          : data_.ConsumeIntegralInRange<uint64_t>(0, 1 << 21);
    if (data_.ConsumeIntegralInRange(0, 15) == 0) {
      record.position = data_.ConsumeIntegral<uint64_t>();
    }
    return record;
  }
  // Where the last one ends, with the bytes that lie there.
  void leave(guest_abi::WriteBehind& words, const guest_abi::BehindRecord& record) {
    std::array<uint8_t, sizeof record> bytes{};
    std::memcpy(bytes.data(), &record, sizeof record);
    (void)guest_.write(kBehindBuffer + (words.produced - words.base), bytes);
    words.produced += guest_abi::behind_record_bytes(record.bytes);
    words.payload_produced += record.bytes;
  }
  uint32_t handle() { return data_.ConsumeIntegralInRange<uint32_t>(0, 12); }
  uint32_t directory() { return data_.ConsumeIntegralInRange<uint32_t>(3, 5); }
  WasiRange range() {
    if (data_.ConsumeBool()) {
      return {data_.ConsumeIntegral<uint64_t>(), data_.ConsumeIntegral<uint64_t>()};
    }
    return {kBase + data_.ConsumeIntegralInRange<uint64_t>(0, kPlainBytes),
            data_.ConsumeIntegralInRange<uint64_t>(0, 5000)};
  }
  WasiRange path() {
    static constexpr std::array<const char*, 14> kParts = {
        "file", "dir", "nested", "..",     ".",       "out",  "absolute",
        "in",   "new", "",       "secret", "outside", "root", "tmp"};
    std::string text = data_.ConsumeBool() ? "" : "/";
    const int count = data_.ConsumeIntegralInRange(1, 6);
    for (int i = 0; i < count; ++i) {
      text += data_.PickValueInArray(kParts);
      if (i + 1 < count || data_.ConsumeBool()) text += '/';
    }
    return guest_.put(text);
  }
  guest_abi::WasiOpenRequest open() {
    guest_abi::WasiOpenRequest request{};
    request.directory = directory();
    request.lookup_flags = data_.ConsumeIntegralInRange<uint32_t>(0, 1);
    request.path = path();
    request.open_flags = data_.ConsumeIntegralInRange<uint16_t>(0, 15);
    request.access = data_.ConsumeIntegral<uint8_t>();
    return request;
  }
  guest_abi::WasiTransferRequest transfer() {
    guest_abi::WasiTransferRequest request{};
    request.handle = handle();
    request.fd_flags = data_.ConsumeIntegralInRange<uint16_t>(0, 31);
    request.use_position = data_.ConsumeIntegralInRange<uint32_t>(0, 1);
    request.position = data_.ConsumeIntegral<uint64_t>();
    request.buffers_count = data_.ConsumeIntegralInRange<uint32_t>(0, 4);
    for (uint32_t i = 0; i < request.buffers_count; ++i) request.buffers[i] = range();
    return request;
  }
  guest_abi::WasiTwoPathsRequest two_paths() {
    guest_abi::WasiTwoPathsRequest request{};
    request.old_directory = directory();
    request.new_directory = directory();
    request.old_path = path();
    request.new_path = request.old_path;
    // Both paths share the memory; the second begins somewhere in the first.
    const uint64_t skip = data_.ConsumeIntegralInRange<uint64_t>(0, request.old_path.bytes);
    request.new_path.address += skip;
    request.new_path.bytes -= skip;
    return request;
  }
  guest_abi::WasiStatRequest path_stat() {
    guest_abi::WasiStatRequest request{};
    request.handle = directory();
    request.lookup_flags = data_.ConsumeIntegralInRange<uint32_t>(0, 1);
    request.path = path();
    return request;
  }
  guest_abi::WasiReadDirectoryRequest read_directory() {
    guest_abi::WasiReadDirectoryRequest request{};
    request.handle = directory();
    request.cookie = data_.ConsumeBool() ? 0 : data_.ConsumeIntegral<uint64_t>();
    request.to = range();
    return request;
  }
  guest_abi::WasiSocketRequest socket() {
    guest_abi::WasiSocketRequest request{};
    request.family = data_.ConsumeBool() ? 4 : 6;
    request.type = data_.ConsumeIntegralInRange<uint8_t>(4, 7);
    return request;
  }
  guest_abi::WasiAddress address() {
    guest_abi::WasiAddress address{};
    address.family = data_.PickValueInArray<uint16_t>({0, 4, 4, 4, 6, 6, 7});
    address.port = data_.PickValueInArray<uint16_t>({0, 0, 9, 10, 8080});
    address.bytes[address.family == 4 ? 0 : 15] = address.family == 4 ? 127 : 1;
    address.bytes[address.family == 4 ? 3 : 10] = data_.PickValueInArray<uint8_t>({0, 1, 1, 255});
    address.scope_id = data_.ConsumeIntegralInRange<uint32_t>(0, 2);
    return address;
  }
  guest_abi::WasiAddressRequest with_address() {
    guest_abi::WasiAddressRequest request{};
    request.handle = handle();
    request.detail = data_.ConsumeIntegralInRange<uint32_t>(0, 2);
    request.address = address();
    return request;
  }
  guest_abi::WasiOptionRequest option() {
    guest_abi::WasiOptionRequest request{};
    request.handle = handle();
    request.option = data_.ConsumeIntegralInRange<uint32_t>(0, 7);
    request.sets = data_.ConsumeIntegralInRange<uint32_t>(0, 1);
    request.value = data_.ConsumeIntegral<uint64_t>();
    return request;
  }
  guest_abi::WasiDatagramsRequest datagrams() {
    guest_abi::WasiDatagramsRequest request{};
    request.handle = handle();
    request.count = data_.ConsumeIntegralInRange<uint32_t>(0, 65);
    request.datagrams = kBase + data_.ConsumeIntegralInRange<uint64_t>(0, kPlainBytes);
    request.room = {kBase, data_.ConsumeBool() ? kGuestBytes : kPlainBytes};
    guest_abi::WasiDatagram datagram{};
    datagram.data = range();
    datagram.address = address();
    std::array<uint8_t, sizeof datagram> bytes{};
    std::memcpy(bytes.data(), &datagram, sizeof datagram);
    (void)guest_.write(request.datagrams, bytes);
    return request;
  }
  guest_abi::WasiResolveRequest resolve() {
    static constexpr std::array<const char*, 6> kNames = {"localhost", "LOCALHOST.", "127.0.0.1",
                                                          "[::1]",     "127.1",      "a..b"};
    guest_abi::WasiResolveRequest request{};
    request.name = guest_.put(data_.PickValueInArray(kNames));
    return request;
  }
  // `text` at an address of its own, so that a request can have several.
  WasiRange text_at(uint64_t offset, const std::string& text) {
    const std::vector<uint8_t> bytes(text.begin(), text.end());
    (void)guest_.write(kBase + offset, bytes);
    return {kBase + offset, text.size()};
  }
  // Fields of plausible and other names, values and sizes.
  WasiRange fields_at(uint64_t offset) {
    if (data_.ConsumeIntegralInRange(0, 7) == 0) return range();
    static constexpr std::array<const char*, 8> kNames = {
        "a", "X-Long-Name", "Content-Length", "Host", "content-length", "", "a b", "a:"};
    static constexpr std::array<const char*, 8> kValues = {
        "", "0", "5", "x\r\ny: z", "18446744073709551616", "text", "-1", " "};
    std::string text;
    const int count = data_.ConsumeIntegralInRange(0, 3);
    for (int i = 0; i < count; ++i) {
      const std::string name = data_.PickValueInArray(kNames);
      const std::string value = data_.PickValueInArray(kValues);
      guest_abi::FieldSizes sizes{static_cast<uint32_t>(name.size()),
                                  static_cast<uint32_t>(value.size())};
      if (data_.ConsumeIntegralInRange(0, 15) == 0)
        sizes.name_bytes = data_.ConsumeIntegral<uint32_t>();
      std::array<char, sizeof sizes> head{};
      std::memcpy(head.data(), &sizes, sizeof sizes);
      text.append(head.data(), head.size());
      text += name + value;
    }
    return text_at(offset, text);
  }
  guest_abi::HttpStartRequest http_start() {
    static constexpr std::array<const char*, 6> kMethods = {"GET",     "POST", "HEAD",
                                                            "CONNECT", "P T",  "PURGE"};
    static constexpr std::array<const char*, 6> kPaths = {"/", "", "*", "/a?b=%20", "/a b", "/#"};
    static constexpr std::array<const char*, 10> kOthers = {
        "127.0.0.1:10", "127.1:9",         "[::ffff:127.0.0.1]:9",
        "localhost:9",  "169.254.169.254", "a@127.0.0.1",
        "10.0.0.1",     "127.0.0.1:99999", "",
        "127.0.0.1/"};
    guest_abi::HttpStartRequest request{};
    request.method = text_at(0, data_.PickValueInArray(kMethods));
    std::string authority = data_.ConsumeBool() ? http_authority_ : kNobodysAuthority;
    if (data_.ConsumeIntegralInRange(0, 3) == 0) authority = data_.PickValueInArray(kOthers);
    request.authority = text_at(100, authority);
    request.path = text_at(500, data_.PickValueInArray(kPaths));
    request.headers = fields_at(1000);
    request.first_bytes = data_.ConsumeBool() ? WasiRange{} : range();
    request.trailers = fields_at(2000);
    request.connect_timeout_ns = timeout();
    request.first_byte_timeout_ns = timeout();
    request.between_bytes_timeout_ns = timeout();
    request.is_https = data_.ConsumeIntegralInRange<uint32_t>(0, 7) == 0 ? 1 : 0;
    request.body = data_.ConsumeIntegralInRange<uint32_t>(0, 2);
    return request;
  }
  uint64_t timeout() {
    return data_.PickValueInArray<uint64_t>({guest_abi::kHttpNoTimeout, 0, 1, 1'000'000'000});
  }
  guest_abi::HttpTakeRequest http_take() {
    guest_abi::HttpTakeRequest request{};
    request.handle = handle();
    request.part = data_.ConsumeIntegralInRange<uint32_t>(0, 3);
    request.to = range();
    return request;
  }
  guest_abi::HttpFinishRequest http_finish() {
    guest_abi::HttpFinishRequest request{};
    request.handle = handle();
    request.is_whole = data_.ConsumeIntegralInRange<uint32_t>(0, 1);
    request.trailers = fields_at(0);
    return request;
  }
  guest_abi::WasiPollRequest poll() {
    guest_abi::WasiPollRequest request{};
    request.has_timeout = data_.ConsumeIntegralInRange<uint32_t>(0, 1);
    const auto count = data_.ConsumeIntegralInRange<uint64_t>(0, 4);
    for (uint64_t i = 0; i < count; ++i) {
      guest_abi::WasiPollEntry entry{};
      entry.handle = handle();
      entry.events = data_.ConsumeIntegralInRange<uint16_t>(0, 31);
      std::array<uint8_t, sizeof entry> bytes{};
      std::memcpy(bytes.data(), &entry, sizeof entry);
      (void)guest_.write(kBase + i * sizeof entry, bytes);
    }
    request.entries = {kBase, count * sizeof(guest_abi::WasiPollEntry)};
    return request;
  }
  guest_abi::WasiLogRequest log() {
    guest_abi::WasiLogRequest request{};
    request.level = data_.ConsumeIntegralInRange<uint32_t>(0, guest_abi::kWasiLogLevels);
    request.context = range();
    request.message = range();
    return request;
  }
  guest_abi::WasiBucketRequest entry() {
    guest_abi::WasiBucketRequest request{};
    request.bucket = handle();
    request.key = guest_.put(data_.PickValueInArray({"key", "number", "", "\xff"}));
    request.value = data_.ConsumeBool() ? range() : WasiRange{kBase, kPlainBytes};
    request.number = data_.ConsumeBool() ? data_.ConsumeIntegral<uint64_t>() : 0;
    return request;
  }
  guest_abi::WasiConfigRequest configuration() {
    guest_abi::WasiConfigRequest request{};
    request.key = guest_.put(data_.PickValueInArray({"key", "long", "", "none"}));
    request.to = range();
    return request;
  }
  guest_abi::WasiPathRequest one_path() {
    guest_abi::WasiPathRequest request{};
    request.directory = data_.ConsumeBool() ? directory() : handle();
    request.reserved = data_.ConsumeIntegral<uint32_t>();
    request.path = path();
    return request;
  }

  FuzzedDataProvider& data_;
  FuzzGuest& guest_;
  std::string http_authority_;
};

// As the runtime does before each port and at the end of a call.
void settle(Context& program, runtime::PortContext& context) {
  guest_abi::WriteBehind& words = context.behind->words();
  (void)program.settle(context);
  CHECK(words.consumed == words.produced, words.consumed, words.produced);
  CHECK(program.settle(context).has_value());
}

// What was answered without an error was granted.
void check_granted(uint32_t port, std::span<const uint8_t> bytes) {
  guest_abi::WasiAddressRequest request{};
  std::memcpy(&request, bytes.data(), sizeof request);
  const auto error = static_cast<Errno>(request.error);
  const bool connects = port == static_cast<uint32_t>(WasiPort::kConnect);
  if (!connects && port != static_cast<uint32_t>(WasiPort::kBind)) return;
  if (error != Errno::kSuccess && error != Errno::kInProgress && error != Errno::kConnRefused) {
    return;
  }
  // Of an address without a grant to listen only the port is the kernel's.
  if (!connects) CHECK(request.address.port == 0, request.address.port);
  if (!connects || family_of(request.address) == WasiFamily::kNone) return;
  CHECK(request.address.port == 9, request.address.port);
  CHECK(is_same_host(request.address, kLoopback4) || is_same_host(request.address, kLoopback6));
}

// An exchange began only with one of the two.
void check_http(uint32_t port, std::span<const uint8_t> bytes, const FuzzGuest& guest,
                const LoopbackListener& server) {
  if (port != static_cast<uint32_t>(WasiPort::kHttpStart)) return;
  guest_abi::HttpStartRequest request{};
  std::memcpy(&request, bytes.data(), sizeof request);
  if (static_cast<Errno>(request.error) != Errno::kSuccess) return;
  std::vector<uint8_t> text(request.authority.bytes);
  CHECK(guest.read(request.authority.address, text).has_value());
  const std::string authority(text.begin(), text.end());
  // However it is written: as [::ffff:127.0.0.1] it is the same host.
  const auto target = parse_authority(authority, 0);
  CHECK(target && target->address && target->address->is_in(*IpAddress::parse("127.0.0.1"), 32),
        authority);
  const std::string asked = "127.0.0.1:" + std::to_string(target->port);
  CHECK(asked == server.authority() || asked == kNobodysAuthority, authority);
}

void run(const Sandbox& sandbox, const LoopbackListener& server, FuzzedDataProvider& data) {
  sandbox.refill();
  WasiConfig config;
  config.args = {"program", "argument"};
  config.stdin_fd = config.stdout_fd = config.stderr_fd = -1;
  config.preopens = {{sandbox.root(), "/", TreeAccess::kReadWrite}};
  config.limits.open_files_max = 10;
  config.network.tcp_connect = {"127.0.0.1:9", "localhost:9"};
  config.network.tcp_listen = {"127.0.0.1:0"};
  config.network.udp_send = {"127.0.0.1:9"};
  config.network.udp_listen = {"127.0.0.1:0"};
  config.http.grants = {server.authority(), kNobodysAuthority};
  config.config = {{"key", "value"}, {"long", std::string(3000, 'x')}};
  config.key_value.kind = KeyValueConfig::Kind::kMemory;
  config.key_value.bytes_max = 100'000;
  config.log.sink = [](LogLevel, std::string_view context, std::string_view message) {
    CHECK(context.size() <= 1027 && message.size() <= 65539, context.size(), message.size());
  };
  const auto method = data.ConsumeBool() ? ResolveMethod::kOpenat2 : ResolveMethod::kWalk;
  auto program = Context::create(config, method);
  CHECK(program.has_value(), program.error().message);
  FuzzGuest guest;
  FuzzBehind behind;
  Calls calls(data, guest, server.authority());
  for (int i = 0; i < 50 && data.remaining_bytes() > 0; ++i) {
    const auto port = data.ConsumeIntegralInRange<uint32_t>(guest_abi::kWasiPortFirst - 1,
                                                            guest_abi::kWasiPortLast + 1);
    alignas(64) std::array<uint8_t, guest_abi::kRequestBytesMax> request{};
    calls.fill(static_cast<WasiPort>(port), request);
    // A deadline that is over: nothing may wait.
    runtime::PortContext context{guest, std::chrono::steady_clock::now(), -1, nullptr, &behind};
    calls.write_behind(behind.words());
    settle(**program, context);
    const auto outcome = (*program)->handle(port, context, request);
    if (!outcome) continue;
    check_granted(port, request);
    check_http(port, request, guest, server);
    CHECK(outcome->out_bytes <= request.size() - outcome->out_offset, outcome->out_offset,
          outcome->out_bytes);
  }
  server.hang_up();
  sandbox.check_outside();
}

}  // namespace
}  // namespace mayfly::wasi

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const mayfly::wasi::Sandbox sandbox;
  FuzzedDataProvider provider(data, size);
  static const mayfly::wasi::LoopbackListener server(128);
  mayfly::wasi::run(sandbox, server, provider);
  return 0;
}
