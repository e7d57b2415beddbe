// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs one attack and looks for damage afterwards.
#include "attack.h"

#include <chrono>
#include <sstream>
#include <thread>

#include "vmm/kvm_host.h"

namespace mayfly::vmm {
namespace {

constexpr uint64_t kAnswer = 0;
constexpr uint64_t kAttack = 1;
constexpr uint64_t kLeaveByPort = 2;
constexpr uint64_t kTrap = 3;
constexpr uint32_t kPort = 77;

void append(Code& code, const Code& other) {
  for (const uint8_t byte : other.get()) code.bytes({byte});
}

// One text for all: the function's number, in edi, chooses.
Code with_duties(const Code& attack) {
  Code leave;
  leave.hypercall(kPort).answer_42();
  const Code trap = Code().bytes({0x0f, 0x0b, 0x90, 0x90});  // ud2
  const Code answer = Code().answer_42();
  const auto size = [](const Code& code) { return static_cast<uint8_t>(code.get().size()); };
  Code all;
  all.bytes({0x83, 0xff, kAnswer, 0x75, size(answer)});  // cmp edi, 0; jne past the answer
  append(all, answer);
  all.bytes({0x83, 0xff, kLeaveByPort, 0x75, size(leave)});
  append(all, leave);
  all.bytes({0x83, 0xff, kTrap, 0x75, size(trap)});
  append(all, trap);
  append(all, attack);
  return all;
}

std::string describe(const Exit& exit, uint64_t slot) {
  std::ostringstream text;
  text << "kind " << static_cast<int>(exit.kind) << ", port " << exit.port << ", vector "
       << int{exit.fault.vector} << ", error " << exit.fault.error_code << std::hex << ", address "
       << exit.fault.address << ", rip " << exit.fault.rip << ", slot 0 " << slot << ' '
       << exit.message;
  return text.str();
}

bool matches(const End& end, const Exit& exit, uint64_t slot) {
  return exit.kind == end.kind && (!end.vector || *end.vector == exit.fault.vector) &&
         (!end.address || *end.address == exit.fault.address) && (!end.slot0 || *end.slot0 == slot);
}

// Everything that an innocent sandbox does: it answers, leaves by a port, traps, answers again.
std::string check_innocent(Vm& vm, const std::string& which) {
  const auto expect = [&](uint64_t function, Exit::Kind kind, uint32_t port) -> std::string {
    const auto exit = vm.enter(Entry{kText, function});
    if (!exit) return which + ": " + exit.error().message;
    if (exit->kind == kind && exit->port == port) return {};
    return which + ", duty " + std::to_string(function) + ": " + describe(*exit, slot0(vm));
  };
  vm.set_deadline(std::nullopt);
  for (int round = 0; round < 2; ++round) {
    vm.call_page().slots[0].low = 0;
    if (auto bad = expect(kAnswer, Exit::Kind::kPort, 0); !bad.empty()) return bad;
    if (slot0(vm) != 42) return which + " answers " + std::to_string(slot0(vm));
    if (auto bad = expect(kLeaveByPort, Exit::Kind::kPort, kPort); !bad.empty()) return bad;
    const auto resumed = vm.resume();
    if (!resumed || resumed->kind != Exit::Kind::kPort || resumed->port != 0) {
      return which + " does not come back from a port";
    }
    if (auto bad = expect(kTrap, Exit::Kind::kFault, 0); !bad.empty()) return bad;
  }
  return {};
}

// Ends the guest if nothing else does: the test of a removed deadline must end, too.
class LastResort {
 public:
  explicit LastResort(Vm& vm)
      : thread_([this, &vm] {
          for (int i = 0; i < 400 && !done_; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
          }
          if (!done_) vm.cancel();
        }) {}
  ~LastResort() {
    done_ = true;
    thread_.join();
  }
  LastResort(const LastResort&) = delete;
  LastResort& operator=(const LastResort&) = delete;

 private:
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

}  // namespace

std::string run_attack(Host& host, const Attack& attack) {
  const TestImage image(with_duties(attack.code));
  const std::vector<uint8_t> before = image.content();
  const auto make = [&] { return host.create_vm(image.config()); };
  auto sibling = make();
  const std::string unfit(kUnfit);
  if (!sibling) return unfit + sibling.error().message;
  if (auto bad = check_innocent(**sibling, "sibling"); !bad.empty()) return unfit + bad;

  auto vm = make();
  if (!vm) return unfit + vm.error().message;
  {
    const LastResort last_resort(**vm);
    const auto exit =
        attack.drive != nullptr ? attack.drive(**vm) : (*vm)->enter(Entry{kText, kAttack});
    if (!exit) return "refused: " + exit.error().message;
    const End& end =
        host.driver() == Driver::kProcess && attack.process_end ? *attack.process_end : attack.end;
    if (!matches(end, *exit, slot0(**vm))) return "ended with " + describe(*exit, slot0(**vm));
    if (exit->kind == Exit::Kind::kBroken) {
      vm->reset();
    } else if (auto bad = check_innocent(**vm, "the sandbox itself"); !bad.empty()) {
      return bad;
    }
  }
  auto next = make();
  if (!next) return next.error().message;
  if (auto bad = check_innocent(**next, "the next sandbox"); !bad.empty()) return bad;
  if (auto bad = check_innocent(**sibling, "the sibling"); !bad.empty()) return bad;
  if (image.content() != before) return "the image has changed";
  return {};
}

bool exit_is_store(Host& host) {
  if (host.driver() != Driver::kKvm) return false;
  const auto method = static_cast<KvmHost&>(host).exit_method();
  return method && *method == ExitMethod::kMmioStore;
}

}  // namespace mayfly::vmm
