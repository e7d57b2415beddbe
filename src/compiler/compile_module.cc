// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Partitions of a module, each compiled in an LLVM context of its own, on a few threads. The
// result is in the partitions' order, whichever thread was faster.
#include "compiler/compile_module.h"

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

#include "base/check.h"
#include "compiler/code_generator.h"
#include "compiler/emit_control.h"
#include "compiler/emit_data.h"
#include "compiler/module_emitter.h"

namespace mayfly::compiler {

namespace {

// Copies of small functions of other partitions, to be copied into their callers (leaf_function.h).
void emit_copies(ModuleEmitter& emitter) {
  for (const uint32_t index : emitter.inlined_callees()) {
    llvm::Function* function = emitter.function(index);
    if (!function->empty()) continue;
    emit_function(emitter, index);
    function->setLinkage(llvm::Function::AvailableExternallyLinkage);
  }
}

Result<std::vector<uint8_t>> compile_partition(const ModuleShape& shape, size_t index) {
  llvm::LLVMContext context;
  context.setDiscardValueNames(true);
  const Partition& partition = shape.partitions[index];
  ModuleEmitter emitter(shape, context);
  for (uint32_t i = partition.first; i < partition.last; ++i) emit_function(emitter, i);
  if (partition.opt_level != image::OptLevel::kO0) emit_copies(emitter);
  if (partition.holds_data) {
    emit_data(emitter);
    emit_instantiate(emitter);
    emit_thunks(emitter);
  }
  const std::unique_ptr<llvm::Module> module = emitter.take_llvm_module();
  return generate_object(*module, partition.opt_level, shape.options);
}

}  // namespace

Result<CompiledModule> compile_module(const wasm::Module& module, std::span<const uint8_t> bytes,
                                      const CompileOptions& options) {
  CHECK(options.placements.size() == module.memories.size(), options.placements.size(),
        module.memories.size());
  initialize_llvm();
  const ModuleShape shape = MAYFLY_TRY(make_shape(module, bytes, options));
  const size_t count = shape.partitions.size();
  std::vector<std::optional<Result<std::vector<uint8_t>>>> results(count);
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < count; i = next++) results[i] = compile_partition(shape, i);
  };
  std::vector<std::thread> helpers;
  for (size_t i = 1; i < std::min<size_t>(options.threads_max, count); ++i) {
    helpers.emplace_back(work);
  }
  work();
  for (std::thread& helper : helpers) helper.join();

  CompiledModule compiled;
  compiled.table_is_far = shape.table_is_far;
  for (auto& result : results) compiled.objects.push_back(MAYFLY_TRY(*std::move(result)));
  return compiled;
}

}  // namespace mayfly::compiler
