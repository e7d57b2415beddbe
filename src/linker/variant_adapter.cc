// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values with cases: enumerations, variants, options, results.
#include <map>
#include <vector>

#include "linker/value_adapter.h"

namespace mayfly::linker {
namespace {

using component::Layout;
using component::ValType;
using guest_abi::ComponentTrap;

// Cases with the same payload share the code that copies it.
struct CaseGroups {
  std::vector<ValType> payloads;  // by group
  std::vector<uint32_t> of_case;

  CaseGroups(const component::TypeArena& types, std::span<const ValType> cases) {
    std::map<uint32_t, uint32_t> known;
    for (const ValType payload : cases) {
      const uint32_t key = payload.exists() ? types.canonical(payload).bits() : component::kNoIndex;
      const auto [found, is_new] = known.emplace(key, payloads.size());
      if (is_new) payloads.push_back(payload);
      of_case.push_back(found->second);
    }
  }
};

}  // namespace

void ValueAdapter::copy_enumeration(size_t cases, const Place& from, const Place& to) {
  const uint32_t bytes = component::discriminant_bytes(cases);
  const uint32_t which = load_to_local(from, unsigned_load(bytes));
  code_.get(which).i32(static_cast<uint32_t>(cases)).op(Op::kI32GeU);
  direction_.module.trap_if(code_, ComponentTrap::kInvalidDiscriminant);
  begin_store(to);
  code_.get(which);
  end_store(to, store(bytes), Flat::kI32);
}

// `from` and `to` begin where payloads do.
Result<void> ValueAdapter::copy_payload(ValType type, const Place& from, const Place& to) {
  size_t used = 0;
  if (type.exists()) {
    MAYFLY_TRY(copy(type, from, to));
    used = layout(type).flat.size();
  }
  for (size_t i = used; !to.in_memory && i < to.locals.size(); ++i) {
    code_.zero(to.types[i]).set(to.locals[i]);
  }
  return {};
}

Result<void> ValueAdapter::copy_variant(std::span<const ValType> cases, const Place& from,
                                        const Place& to) {
  std::vector<Layout> layouts;
  uint32_t flats = 0;
  for (const ValType payload : cases) {
    layouts.push_back(payload.exists() ? layout(payload) : Layout());
    flats = std::max(flats, layouts.back().flat.size());
  }
  const uint64_t offset = component::payload_offset(layouts);
  const uint32_t bytes = component::discriminant_bytes(cases.size());
  const CaseGroups groups(direction_.types, cases);
  // A variant in a record is followed by other flat values.
  const auto payload_of = [&](const Place& place) {
    if (place.in_memory) return place.after(offset, 0);
    return Place::flat(place.locals.subspan(1, flats), place.types.subspan(1, flats));
  };
  const uint32_t which = load_to_local(from, unsigned_load(bytes));
  begin_store(to);
  code_.get(which);
  end_store(to, store(bytes), Flat::kI32);

  const CodeWriter::Label done = code_.block();
  const CodeWriter::Label wrong = code_.block();
  std::vector<CodeWriter::Label> labels(groups.payloads.size());
  for (size_t i = labels.size(); i-- > 0;) labels[i] = code_.block();
  std::vector<CodeWriter::Label> targets;
  targets.reserve(groups.of_case.size());
  for (const uint32_t group : groups.of_case) targets.push_back(labels[group]);
  code_.get(which).br_table(targets, wrong);
  for (const ValType payload : groups.payloads) {
    code_.end();
    MAYFLY_TRY(copy_payload(payload, payload_of(from), payload_of(to)));
    code_.br(done);
  }
  code_.end();
  direction_.module.trap(code_, ComponentTrap::kInvalidDiscriminant);
  code_.end();
  return {};
}

}  // namespace mayfly::linker
