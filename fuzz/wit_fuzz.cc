// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fuzzes the parser, resolver, printer and encoder of WIT.
//
// Strategy: the input is the text of one file. Depths are low, so that small inputs reach them. The
// seeds are small packages with every kind of item.
//
// Invariants:
//  1. resolve() answers for any bytes: no crash, no CHECK, no sanitizer report, bounded memory.
//  2. An error is one line that names the file.
//  3. What is printed is read again, and prints the same.
//  4. What is encoded is a component that is valid, or is refused with an error: some names are too
//     much alike for the binary format.
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "component/component.h"
#include "component/wit_decode.h"
#include "component/wit_encode.h"
#include "component/wit_printer.h"
#include "component/wit_resolver.h"

namespace mayfly::component::wit {
namespace {

void run(const std::string& text) {
  WitLimits limits;
  limits.type_depth_max = 20;
  limits.reference_depth_max = 20;
  const std::vector<SourceFile> files = {{"input.wit", text}};
  const auto resolved = resolve(files, {SourceGroup{{0}}}, limits);
  if (!resolved) {
    const std::string& message = resolved.error().message;
    CHECK(message.find('\n') == std::string::npos, message);
    CHECK(message.starts_with("input.wit:") || message == "there is no WIT package", message);
    return;
  }
  const std::string printed = print_package(resolved->model, resolved->root);
  const std::vector<SourceFile> again = {{"printed.wit", printed}};
  const auto second = resolve(again, {SourceGroup{{0}}});
  CHECK(second.has_value(), second ? "" : second.error().message, printed);
  CHECK(print_package(second->model, second->root) == printed, printed);
  const auto component = decode(encode_package(resolved->model, resolved->root));
  if (!component) return;
  (void)decode_component(*component);
}

}  // namespace
}  // namespace mayfly::component::wit

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mayfly::component::wit::run(std::string(data, data + size));
  return 0;
}
