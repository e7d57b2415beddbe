// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// definitions.py: flatten_functype, over the flat lists that TypeArena keeps.
#include "component/flatten.h"

namespace mayfly::component {
namespace {

std::vector<wasm::ValType> core_types(const FlatList& list) {
  std::vector<wasm::ValType> types;
  for (const Flat flat : list.values()) types.push_back(core_type(flat));
  return types;
}

FlatFunction flatten_async(const FlatList& params, const FlatList& results,
                           const CanonOptions& options, FlattenContext context) {
  FlatFunction flat;
  const bool is_lift = context == FlattenContext::kLift;
  flat.params_in_memory = params.size() > (is_lift ? kMaxFlatParams : kMaxFlatAsyncParams);
  flat.core.params =
      flat.params_in_memory ? std::vector{core_type(options.width)} : core_types(params);
  if (is_lift) {
    flat.results_in_memory = results.size() > kMaxFlatParams;
    if (options.callback != kNoIndex) flat.core.results.push_back(wasm::kI32);
    return flat;
  }
  flat.results_in_memory = results.size() > 0;
  if (flat.results_in_memory) flat.core.params.push_back(core_type(options.width));
  flat.core.results.push_back(wasm::kI32);
  return flat;
}

FlatFunction flatten_sync(const FlatList& params, const FlatList& results,
                          const CanonOptions& options, FlattenContext context) {
  FlatFunction flat;
  flat.params_in_memory = params.size() > kMaxFlatParams;
  flat.results_in_memory = results.size() > kMaxFlatResults;
  flat.core.params =
      flat.params_in_memory ? std::vector{core_type(options.width)} : core_types(params);
  if (!flat.results_in_memory) {
    flat.core.results = core_types(results);
  } else if (context == FlattenContext::kLift) {
    flat.core.results.push_back(core_type(options.width));
  } else {
    flat.core.params.push_back(core_type(options.width));
  }
  return flat;
}

}  // namespace

wasm::ValType core_type(Flat flat) {
  switch (flat) {
    case Flat::kI32:
      return wasm::kI32;
    case Flat::kI64:
      return wasm::kI64;
    case Flat::kF32:
      return wasm::kF32;
    case Flat::kF64:
      return wasm::kF64;
  }
  return wasm::kI32;
}

wasm::ValType core_type(PtrWidth width) { return width == PtrWidth::k32 ? wasm::kI32 : wasm::kI64; }

FlatFunction flatten_functype(const TypeArena& types, std::span<const ValType> params,
                              ValType result, const CanonOptions& options, FlattenContext context) {
  FlatList flat_params;
  for (const ValType param : params) {
    flat_params.append(types.layouts(param).of(options.width).flat);
  }
  FlatList flat_results;
  if (result.exists()) flat_results = types.layouts(result).of(options.width).flat;
  return options.is_async ? flatten_async(flat_params, flat_results, options, context)
                          : flatten_sync(flat_params, flat_results, options, context);
}

FlatFunction flatten_functype(const TypeArena& types, TypeId func, const CanonOptions& options,
                              FlattenContext context) {
  std::vector<ValType> params;
  for (const Member& param : types.params(func)) params.push_back(param.type);
  return flatten_functype(types, params, types.result(func), options, context);
}

}  // namespace mayfly::component
