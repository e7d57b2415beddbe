// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Function passes only: partitions of a module do not depend on each other.
#include "compiler/optimize.h"

#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/IR/DebugInfoMetadata.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Module.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/IPO/AlwaysInliner.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/ADCE.h>
#include <llvm/Transforms/Scalar/BDCE.h>
#include <llvm/Transforms/Scalar/CorrelatedValuePropagation.h>
#include <llvm/Transforms/Scalar/DCE.h>
#include <llvm/Transforms/Scalar/DivRemPairs.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/GVN.h>
#include <llvm/Transforms/Scalar/IndVarSimplify.h>
#include <llvm/Transforms/Scalar/JumpThreading.h>
#include <llvm/Transforms/Scalar/LICM.h>
#include <llvm/Transforms/Scalar/LoopPassManager.h>
#include <llvm/Transforms/Scalar/LoopRotation.h>
#include <llvm/Transforms/Scalar/LoopUnrollPass.h>
#include <llvm/Transforms/Scalar/Reassociate.h>
#include <llvm/Transforms/Scalar/SCCP.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>

#include "compiler/fuel_loops.h"
#include "compiler/load_place.h"
#include "compiler/wide_multiply.h"

namespace mayfly::compiler {

namespace {

// Passes that track ranges of values, or keep dominators while they change edges, take time that
// grows with the square of a function's blocks.
constexpr size_t kLazyValueBlocksMax = 1'000;
constexpr size_t kOptimizedBlocksMax = 10'000;
constexpr size_t kSimplifiedBlocksMax = 40'000;

enum class LazyValues : uint8_t { kOff, kOn };

llvm::FunctionPassManager pipeline_o1() {
  llvm::FunctionPassManager passes;
  passes.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
  passes.addPass(llvm::EarlyCSEPass());
  passes.addPass(llvm::InstCombinePass());
  passes.addPass(WideMultiplyPass());
  passes.addPass(llvm::SimplifyCFGPass());
  return passes;
}

void add_loop_passes(llvm::FunctionPassManager& passes) {
  llvm::LoopPassManager loops;
  loops.addPass(llvm::LoopRotatePass());
  loops.addPass(llvm::LICMPass(llvm::LICMOptions()));
  passes.addPass(llvm::createFunctionToLoopPassAdaptor(std::move(loops), /*UseMemorySSA=*/true));
  passes.addPass(llvm::SimplifyCFGPass());
  passes.addPass(llvm::InstCombinePass());
  passes.addPass(llvm::createFunctionToLoopPassAdaptor(llvm::IndVarSimplifyPass()));
}

void add_lazy_value_passes(llvm::FunctionPassManager& passes) {
  passes.addPass(llvm::JumpThreadingPass());
  passes.addPass(llvm::CorrelatedValuePropagationPass());
}

llvm::FunctionPassManager pipeline_o2(LazyValues lazy_values, bool fuel) {
  const bool has_lazy_values = lazy_values == LazyValues::kOn;
  llvm::FunctionPassManager passes;
  passes.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
  passes.addPass(llvm::EarlyCSEPass(/*UseMemorySSA=*/true));
  if (has_lazy_values) add_lazy_value_passes(passes);
  passes.addPass(llvm::SimplifyCFGPass());
  passes.addPass(llvm::InstCombinePass());
  passes.addPass(WideMultiplyPass());
  passes.addPass(llvm::ReassociatePass());
  add_loop_passes(passes);
  passes.addPass(llvm::GVNPass());
  passes.addPass(llvm::SCCPPass());
  passes.addPass(llvm::BDCEPass());
  passes.addPass(llvm::InstCombinePass());
  if (has_lazy_values) add_lazy_value_passes(passes);
  passes.addPass(llvm::ADCEPass());
  passes.addPass(llvm::createFunctionToLoopPassAdaptor(llvm::LICMPass(llvm::LICMOptions()),
                                                       /*UseMemorySSA=*/true));
  passes.addPass(llvm::LoopUnrollPass(llvm::LoopUnrollOptions(2)));
  passes.addPass(llvm::InstCombinePass());
  passes.addPass(llvm::DivRemPairsPass());
  passes.addPass(llvm::SimplifyCFGPass(llvm::SimplifyCFGOptions()
                                           .convertSwitchRangeToICmp(true)
                                           .convertSwitchToLookupTable(true)
                                           .hoistCommonInsts(true)
                                           .sinkCommonInsts(true)));
  if (fuel) passes.addPass(FuelLoopsPass());
  return passes;
}

// A copied instruction keeps its offset as the line, and has that of the call as discriminator.
const llvm::DILocation* place_of_copy(const llvm::DILocation* copied) {
  const llvm::DILocation* call = copied->getInlinedAt();
  llvm::LLVMContext& context = copied->getContext();
  auto* scope =
      llvm::DILexicalBlockFile::get(context, call->getScope(), call->getFile(), call->getLine());
  return llvm::DILocation::get(context, copied->getLine(), 0, scope);
}

// What is copied calls nothing, so no copy contains another one.
void inline_calls(llvm::Module& module, llvm::ModuleAnalysisManager& analyses,
                  llvm::FunctionAnalysisManager& functions) {
  llvm::AlwaysInlinerPass(/*InsertLifetime=*/false).run(module, analyses);
  functions.clear();  // what the pass asked about a function before it changed
  for (llvm::Function& function : module) {
    for (llvm::Instruction& instruction : llvm::instructions(function)) {
      const llvm::DILocation* location = instruction.getDebugLoc();
      if (location == nullptr || location->getInlinedAt() == nullptr) continue;
      instruction.setDebugLoc(place_of_copy(location));
    }
  }
}

}  // namespace

void optimize(llvm::Module& module, llvm::TargetMachine& target, const OptimizeOptions& options) {
  const auto [level, fuel] = options;
  if (level == image::OptLevel::kO0) return;
  llvm::LoopAnalysisManager loop_analyses;
  llvm::FunctionAnalysisManager function_analyses;
  llvm::CGSCCAnalysisManager cgscc_analyses;
  llvm::ModuleAnalysisManager module_analyses;
  llvm::PassBuilder builder(&target);
  // No function of the C library exists in a guest but those that code generation calls itself.
  function_analyses.registerPass([&] {
    llvm::TargetLibraryInfoImpl library(target.getTargetTriple());
    library.disableAllFunctions();
    return llvm::TargetLibraryAnalysis(library);
  });
  builder.registerModuleAnalyses(module_analyses);
  builder.registerCGSCCAnalyses(cgscc_analyses);
  builder.registerFunctionAnalyses(function_analyses);
  builder.registerLoopAnalyses(loop_analyses);
  builder.crossRegisterProxies(loop_analyses, function_analyses, cgscc_analyses, module_analyses);
  inline_calls(module, module_analyses, function_analyses);
  llvm::FunctionPassManager simple = pipeline_o1();
  llvm::FunctionPassManager full = pipeline_o2(LazyValues::kOn, fuel);
  llvm::FunctionPassManager large = pipeline_o2(LazyValues::kOff, fuel);
  for (llvm::Function& function : module) {
    const size_t blocks = function.size();
    if (blocks == 0 || function.hasAvailableExternallyLinkage() || blocks > kSimplifiedBlocksMax)
      continue;
    if (level == image::OptLevel::kO1 || blocks > kOptimizedBlocksMax) {
      simple.run(function, function_analyses);
    } else if (blocks > kLazyValueBlocksMax) {
      large.run(function, function_analyses);
    } else {
      full.run(function, function_analyses);
    }
    place_loads(function);
    function_analyses.clear(function, function.getName());
  }
}

}  // namespace mayfly::compiler
