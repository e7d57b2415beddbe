// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chooses a driver.
#include <cstdlib>
#include <optional>

#include "base/check.h"
#include "vmm/kvm_host.h"
#include "vmm/process_host.h"
#include "vmm/vm.h"

namespace mayfly::vmm {
namespace {

// What the environment asks for; nullopt when it leaves the choice.
Result<std::optional<Driver>> asked_for() {
  const char* const name = std::getenv("MAYFLY_DRIVER");
  const std::string_view driver = name == nullptr ? "" : name;
  if (driver.empty() || driver == "auto") return std::optional<Driver>();
  if (driver == "kvm") return std::optional(Driver::kKvm);
  if (driver == "process") return std::optional(Driver::kProcess);
  return invalid("$MAYFLY_DRIVER is \"" + std::string(driver) +
                 "\", but has to be auto, kvm or process");
}

}  // namespace

std::string_view to_string(Driver driver) { return driver == Driver::kKvm ? "kvm" : "process"; }

Result<std::unique_ptr<Host>> Host::open(Driver driver) {
  if (driver == Driver::kProcess) return open_process_host();
  auto host = KvmHost::open({});
  if (!host) return std::move(host).error();
  return std::unique_ptr<Host>(*std::move(host));
}

Result<std::unique_ptr<Host>> Host::open_best(std::string* why) {
  if (const auto driver = MAYFLY_TRY(asked_for())) {
    *why = std::string(to_string(*driver)) + ": $MAYFLY_DRIVER asks for it";
    return open(*driver);
  }
  auto kvm = open(Driver::kKvm);
  if (kvm) {
    *why = "kvm: /dev/kvm works";
    return kvm;
  }
  auto process = open(Driver::kProcess);
  if (process) {
    *why = "process: " + kvm.error().message;
    return process;
  }
  return Error{kvm.error().kind, kvm.error().message + "; " + process.error().message,
               kvm.error().errno_value};
}

}  // namespace mayfly::vmm
