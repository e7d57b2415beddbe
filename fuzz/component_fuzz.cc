// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Fuzzes component::decode().
//
// Strategy: the input is a component as it is, with every feature on. Limits are low, so that small
// inputs reach them. The seeds are components of the specification's scripts, one for each group of
// definitions.
//
// Invariants:
//  1. decode() answers for any bytes: no crash, no CHECK, no sanitizer report, bounded memory.
//  2. An error is one line that ends with one offset within the input, or at its end.
//  3. decode() is deterministic: the same bytes give the same answer twice.
//  4. What a valid component refers to exists: entries' types, steps, modules, components.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "base/check.h"
#include "component/component.h"

namespace mayfly::component {
namespace {

DecodeOptions fuzz_options() {
  DecodeOptions options;
  options.features = {
      .values = true, .nested_names = true, .canonical_names = true, .dependency_names = true};
  options.limits.derived_types_min = 2'000;
  options.limits.type_steps_min = 50'000;
  options.limits.core.function_operands_max = 100'000;
  return options;
}

void check_error(const Error& error, size_t input_bytes) {
  constexpr std::string_view kAtOffset = " at offset 0x";
  const size_t position = error.message.rfind(kAtOffset);
  CHECK(position != std::string::npos, error.message);
  CHECK(error.message.find('\n') == std::string::npos, error.message);
  const std::string digits = error.message.substr(position + kAtOffset.size());
  const uint64_t offset = std::strtoull(digits.c_str(), nullptr, 16);
  CHECK(offset <= input_bytes, error.message, input_bytes);
}

void check_definition(const Component& component, const ComponentDef& def) {
  for (const Space space : {Space::kFunc, Space::kType, Space::kComponent, Space::kInstance}) {
    for (const Entry& entry : def.space(space)) CHECK(entry.type < component.types.size());
  }
  for (const Entry& entry : def.space(Space::kFunc)) {
    CHECK(component.types.kind(TypeId{entry.type}) == TypeKind::kFunc);
  }
  for (const Entry& entry : def.space(Space::kInstance)) {
    CHECK(component.types.kind(TypeId{entry.type}) == TypeKind::kInstance);
  }
  for (const Entry& entry : def.space(Space::kCoreModule)) {
    if (entry.origin == Entry::Origin::kDefined) CHECK(entry.a < component.modules.size());
  }
  for (const Step& step : def.steps) {
    const size_t count = step.kind == Step::Kind::kCoreInstance ? def.core_instances.size()
                         : step.kind == Step::Kind::kInstance   ? def.instances.size()
                                                                : def.starts.size();
    CHECK(step.number < count);
  }
  CHECK(component.types.kind(def.type) == TypeKind::kComponent);
}

void run(std::span<const uint8_t> bytes) {
  const DecodeOptions options = fuzz_options();
  const auto first = decode(bytes, options);
  const auto second = decode(bytes, options);
  CHECK(first.has_value() == second.has_value());
  if (!first) {
    check_error(first.error(), bytes.size());
    CHECK(first.error().message == second.error().message);
    return;
  }
  CHECK(first->types.size() == second->types.size());
  for (const ComponentDef& def : first->components) check_definition(*first, def);
}

}  // namespace
}  // namespace mayfly::component

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mayfly::component::run({data, size});
  return 0;
}
