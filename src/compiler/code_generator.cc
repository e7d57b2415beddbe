// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The x86-64 target as guests see it: static code in the low 2 GiB, no context register.
#include "compiler/code_generator.h"

#include <llvm/ADT/SmallVector.h>
#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/CodeGen/MachineModuleInfo.h>
#include <llvm/CodeGen/Passes.h>
#include <llvm/CodeGen/TargetPassConfig.h>
#include <llvm/IR/DiagnosticHandler.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Target/TargetOptions.h>
#include <llvm/TargetParser/Host.h>

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "base/check.h"
#include "compiler/optimize.h"

namespace mayfly::compiler {

namespace {

constexpr const char* kTriple = "x86_64-unknown-none-elf";

// A feature as LLVM and as /proc/cpuinfo name it.
struct CpuFeature {
  const char* llvm;
  const char* cpuinfo;
};
constexpr std::array kBaselineFeatures = {CpuFeature{"sse3", "pni"}, CpuFeature{"ssse3", "ssse3"},
                                          CpuFeature{"sse4.1", "sse4_1"}};
// What x86-64-v3 adds, and all that a guest can use: its XCR0 has no AVX-512 state.
constexpr std::array kWideFeatures = {
    CpuFeature{"sse4.2", "sse4_2"}, CpuFeature{"popcnt", "popcnt"}, CpuFeature{"cx16", "cx16"},
    CpuFeature{"avx", "avx"},       CpuFeature{"avx2", "avx2"},     CpuFeature{"bmi", "bmi1"},
    CpuFeature{"bmi2", "bmi2"},     CpuFeature{"f16c", "f16c"},     CpuFeature{"fma", "fma"},
    CpuFeature{"lzcnt", "abm"},     CpuFeature{"movbe", "movbe"}};

std::vector<CpuFeature> features_of(image::CpuLevel level) {
  std::vector<CpuFeature> features(kBaselineFeatures.begin(), kBaselineFeatures.end());
  if (level == image::CpuLevel::kBaseline) return features;
  const llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  for (const CpuFeature& feature : kWideFeatures) {
    if (level == image::CpuLevel::kX86_64V3 || host.lookup(feature.llvm)) {
      features.push_back(feature);
    }
  }
  return features;
}

llvm::CodeGenOptLevel codegen_level(image::OptLevel level) {
  switch (level) {
    case image::OptLevel::kO0:
      return llvm::CodeGenOptLevel::None;
    case image::OptLevel::kO1:
      return llvm::CodeGenOptLevel::Less;
    case image::OptLevel::kO2:
      return llvm::CodeGenOptLevel::Default;
  }
  CHECK(false, static_cast<int>(level));
  return llvm::CodeGenOptLevel::None;
}

std::unique_ptr<llvm::LLVMTargetMachine> make_target(image::OptLevel level, image::CpuLevel cpu) {
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(kTriple, error);
  CHECK(target != nullptr, error);
  std::string features;
  for (const CpuFeature& feature : features_of(cpu)) {
    if (!features.empty()) features += ',';
    features += std::string("+") + feature.llvm;
  }
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  // Every target that generates code has this class.
  return std::unique_ptr<llvm::LLVMTargetMachine>(static_cast<llvm::LLVMTargetMachine*>(
      target->createTargetMachine(kTriple, "x86-64", features, options, llvm::Reloc::Static,
                                  llvm::CodeModel::Small, codegen_level(level))));
}

class DiagnosticCollector : public llvm::DiagnosticHandler {
 public:
  explicit DiagnosticCollector(std::optional<Error>& first) : first_(first) {}

  bool handleDiagnostics(const llvm::DiagnosticInfo& info) override {
    const bool is_frame = info.getKind() == llvm::DK_StackSize;
    if (!is_frame && info.getSeverity() != llvm::DS_Error) return true;
    std::string text;
    llvm::raw_string_ostream stream(text);
    llvm::DiagnosticPrinterRawOStream printer(stream);
    info.print(printer);
    if (!first_) first_ = is_frame ? limit(text) : unsupported(text);
    return true;
  }

 private:
  std::optional<Error>& first_;
};

void disable_passes(llvm::TargetPassConfig& config, llvm::CodeGenOptLevel level) {
  // For variables of a debugger, garbage collectors, tracing and patching, of which this code has
  // none; a tenth of the time of code generation.
  const llvm::AnalysisID useless[] = {
      &llvm::LiveDebugValuesID,       &llvm::RemoveRedundantDebugValuesID,
      &llvm::StackMapLivenessID,      &llvm::GCLoweringID,
      &llvm::ShadowStackGCLoweringID, &llvm::FEntryInserterID,
      &llvm::PatchableFunctionID,     &llvm::FuncletLayoutID,
      &llvm::XRayInstrumentationID,   &llvm::FixupStatepointCallerSavedID};
  for (const llvm::AnalysisID pass : useless) config.disablePass(pass);
  if (level >= llvm::CodeGenOptLevel::Default) return;
  // What gains little for what it takes.
  const llvm::AnalysisID thorough[] = {
      &llvm::MachineSchedulerID,  &llvm::LiveRangeShrinkID,
      &llvm::MachineCSEID,        &llvm::MachineSinkingID,
      &llvm::EarlyMachineLICMID,  &llvm::MachineLICMID,
      &llvm::OptimizePHIsID,      &llvm::EarlyTailDuplicateID,
      &llvm::TailDuplicateID,     &llvm::PostRAMachineSinkingID,
      &llvm::StackSlotColoringID, &llvm::MachineLateInstrsCleanupID};
  for (const llvm::AnalysisID pass : thorough) config.disablePass(pass);
}

// LLVM's own addPassesToEmitFile() with one change: blocks that trap keep their own addresses.
// Machine code has lost the attribute nomerge of a trap, so tails are not merged at all.
void emit_object(llvm::Module& module, llvm::LLVMTargetMachine& target, Verification verification,
                 llvm::SmallVectorImpl<char>& object) {
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager passes;  // owns the passes
  llvm::TargetLibraryInfoImpl library(target.getTargetTriple());
  library.disableAllFunctions();
  passes.add(new llvm::TargetLibraryInfoWrapperPass(library));
  llvm::TargetPassConfig* config = target.createPassConfig(passes);
  config->setDisableVerify(verification == Verification::kOff);
  config->setEnableTailMerge(false);
  disable_passes(*config, target.getOptLevel());
  passes.add(config);
  auto* machine = new llvm::MachineModuleInfoWrapperPass(&target);
  passes.add(machine);
  bool failed = config->addISelPasses();
  config->addMachinePasses();
  config->setInitialized();
  failed =
      failed || target.addAsmPrinter(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile,
                                     machine->getMMI().getContext());
  CHECK(!failed, kTriple);
  passes.add(llvm::createFreeMachineFunctionPass());
  passes.run(module);
}

// Loop strength reduction rewrites induction variables so that they need fewer registers, and pays
// with additions: a sum that wraps at 32 bits is no part of an address, so each access gets its
// own. LLVM has a switch for it and no other interface. The producer has reduced its loops.
void disable_strength_reduction() {
  llvm::cl::Option* option = llvm::cl::getRegisteredOptions().lookup("disable-lsr");
  CHECK(option != nullptr, "disable-lsr");
  static_cast<llvm::cl::opt<bool>*>(option)->setValue(true);
}

}  // namespace

void initialize_llvm() {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  disable_strength_reduction();
}

std::vector<std::string> cpu_features(image::CpuLevel level) {
  std::vector<std::string> names;
  for (const CpuFeature& feature : features_of(level)) names.emplace_back(feature.cpuinfo);
  return names;
}

Result<std::vector<uint8_t>> generate_object(llvm::Module& module, image::OptLevel level,
                                             const CompileOptions& options) {
  const std::unique_ptr<llvm::LLVMTargetMachine> target = make_target(level, options.cpu);
  module.setTargetTriple(kTriple);
  module.setDataLayout(target->createDataLayout());
  if (options.verification == Verification::kOn) {
    CHECK(!llvm::verifyModule(module, &llvm::errs()), options.name);
  }
  std::optional<Error> error;
  module.getContext().setDiagnosticHandler(std::make_unique<DiagnosticCollector>(error));
  optimize(module, *target, {level, options.fuel});

  llvm::SmallVector<char, 0> object;
  emit_object(module, *target, options.verification, object);
  module.getContext().setDiagnosticHandler(nullptr);
  if (error) return *error;
  return std::vector<uint8_t>(object.begin(), object.end());
}

}  // namespace mayfly::compiler
