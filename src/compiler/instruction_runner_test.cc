// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NativeCode: LLVM's ORC as the linker, signals as the traps.
// instruction_runner.h says what for.
#include "compiler/instruction_runner.h"

#include <gtest/gtest.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <sys/mman.h>

#include <csetjmp>
#include <csignal>
#include <cstring>

#include "base/check.h"
#include "base/mapping.h"
#include "compiler/emit_families.h"
#include "compiler/float_semantics.h"
#include "compiler/function_emitter.h"
#include "compiler/module_emitter.h"

namespace mayfly::compiler {
namespace {

thread_local sigjmp_buf after_signal;
thread_local uint8_t trap_code;

// ud1l code(%eax), %eax is 67 0F B9 40 code.
void on_signal(int signal, siginfo_t* info, void*) {
  const auto* at = static_cast<const uint8_t*>(info->si_addr);
  trap_code = signal == SIGILL && at[0] == 0x67 ? at[4] : 0;
  siglongjmp(after_signal, signal);
}

class Handlers {
 public:
  Handlers() {
    struct sigaction action = {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigaction(SIGILL, &action, &old_ill_);
    sigaction(SIGSEGV, &action, &old_segv_);
  }
  ~Handlers() {
    sigaction(SIGILL, &old_ill_, nullptr);
    sigaction(SIGSEGV, &old_segv_, nullptr);
  }

 private:
  struct sigaction old_ill_ = {};
  struct sigaction old_segv_ = {};
};

template <typename T>
T need(llvm::Expected<T> value) {
  if (!value) {
    const std::string text = llvm::toString(value.takeError());
    CHECK(false, text);
  }
  return std::move(*value);
}

void need(llvm::Error error) {
  const std::string text = llvm::toString(std::move(error));
  CHECK(text.empty(), text);
}

llvm::Type* type_of(llvm::IRBuilder<>& ir, char letter) {
  switch (letter) {
    case 'i':
      return ir.getInt32Ty();
    case 'I':
      return ir.getInt64Ty();
    case 'f':
      return ir.getFloatTy();
    case 'F':
      return ir.getDoubleTy();
    default:
      CHECK(letter == 'v', letter);
      return llvm::FixedVectorType::get(ir.getInt64Ty(), 2);
  }
}

void emit(FunctionEmitter& f, const wasm::Instruction& instruction) {
  const auto value = static_cast<unsigned>(instruction.opcode);
  if (value >= 0x300 && value < 0x500) {
    emit_simd(f, instruction);
  } else {
    emit_numeric(f, instruction);
  }
}

std::unique_ptr<llvm::TargetMachine> baseline_machine(llvm::CodeGenOptLevel level) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  llvm::orc::JITTargetMachineBuilder builder(llvm::Triple("x86_64-unknown-linux-gnu"));
  builder.setCPU("x86-64").addFeatures({"+sse3", "+ssse3", "+sse4.1"});
  builder.setCodeGenOptLevel(level);
  builder.setRelocationModel(llvm::Reloc::PIC_);
  return need(builder.createTargetMachine());
}

void optimize(llvm::Module& module, llvm::TargetMachine& machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graph;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder passes(&machine);
  passes.registerModuleAnalyses(modules);
  passes.registerCGSCCAnalyses(graph);
  passes.registerFunctionAnalyses(functions);
  passes.registerLoopAnalyses(loops);
  passes.crossRegisterProxies(loops, functions, graph, modules);
  passes.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
}

// void code(operands, results), 16 bytes each.
size_t build(ModuleEmitter& module, const std::vector<wasm::Instruction>& instructions,
             const std::vector<Operand>& operands, NativeCode::See see) {
  auto* pointer = llvm::PointerType::get(module.context(), 0);
  auto* type =
      llvm::FunctionType::get(llvm::Type::getVoidTy(module.context()), {pointer, pointer}, false);
  llvm::Function* function = module.new_function(type, "code");
  function->setCallingConv(llvm::CallingConv::C);
  FunctionEmitter f(module, *function, 0);
  auto& ir = f.ir();
  for (size_t i = 0; i < operands.size(); ++i) {
    if (see == NativeCode::See::kConstants) {
      emit(f, constant_of(operands[i]));
      continue;
    }
    llvm::Value* at = ir.CreateConstGEP1_64(ir.getInt8Ty(), function->getArg(0), i * 16);
    f.push(f.load(type_of(ir, operands[i].type), at));
  }
  for (const wasm::Instruction& instruction : instructions) emit(f, instruction);
  const size_t count = f.height();
  for (size_t i = count; i-- > 0;) {
    f.store(f.pop(), ir.CreateConstGEP1_64(ir.getInt8Ty(), function->getArg(1), i * 16));
  }
  ir.CreateRetVoid();
  return count;
}

}  // namespace

struct NativeCode::State {
  Mapping memory;
  std::unique_ptr<llvm::orc::LLJIT> jit;
  void (*code)(const Bits*, Bits*) = nullptr;
  size_t results = 0;
};

NativeCode::NativeCode(const std::vector<wasm::Instruction>& instructions,
                       const std::vector<Operand>& operands, Optimize level, See see)
    : state_(std::make_unique<State>()) {
  const bool optimized = level == Optimize::kYes;
  wasm::Module wasm_module;
  wasm_module.memories.push_back({});
  CompileOptions options;
  options.placements = {Placement::kHigh};
  const ModuleShape shape{wasm_module, {}, options, {}, {}, {}, {}, {}};
  auto context = std::make_unique<llvm::LLVMContext>();
  ModuleEmitter module(shape, *context);
  state_->results = build(module, instructions, operands, see);
  std::unique_ptr<llvm::Module> code = module.take_llvm_module();

  auto machine =
      baseline_machine(optimized ? llvm::CodeGenOptLevel::Default : llvm::CodeGenOptLevel::None);
  code->setDataLayout(machine->createDataLayout());
  code->setTargetTriple("x86_64-unknown-linux-gnu");
  CHECK(!llvm::verifyModule(*code, &llvm::errs()));
  if (optimized) optimize(*code, *machine);

  llvm::orc::LLJITBuilder builder;
  builder.setCompileFunctionCreator(
      [&machine](llvm::orc::JITTargetMachineBuilder)
          -> llvm::Expected<std::unique_ptr<llvm::orc::IRCompileLayer::IRCompiler>> {
        return std::make_unique<llvm::orc::TMOwningSimpleCompiler>(std::move(machine));
      });
  state_->jit = need(builder.create());
  state_->memory = *Mapping::anonymous(2 * kTestMemoryBytes);
  CHECK(mprotect(state_->memory.data() + kTestMemoryBytes, kTestMemoryBytes, PROT_NONE) == 0);
  auto& dylib = state_->jit->getMainJITDylib();
  need(dylib.define(
      llvm::orc::absoluteSymbols({{state_->jit->mangleAndIntern("mem.0"),
                                   {llvm::orc::ExecutorAddr::fromPtr(state_->memory.data()),
                                    llvm::JITSymbolFlags::Exported}}})));
  need(state_->jit->addIRModule(llvm::orc::ThreadSafeModule(std::move(code), std::move(context))));
  state_->code = need(state_->jit->lookup("code")).toPtr<void (*)(const Bits*, Bits*)>();
}

NativeCode::~NativeCode() = default;
uint8_t* NativeCode::memory() const { return state_->memory.data(); }

// LLVM emits no type in front of the function for the sanitizer of indirect calls to read.
[[clang::no_sanitize("function")]] Outcome NativeCode::run(
    const std::vector<Operand>& operands) const {
  std::vector<Bits> in;
  for (const Operand& operand : operands) in.push_back(operand.bits);
  Outcome outcome;
  outcome.values.resize(state_->results);
  const Handlers handlers;
  const int signal = sigsetjmp(after_signal, 1);
  if (signal == 0) {
    state_->code(in.data(), outcome.values.data());
    return outcome;
  }
  outcome.values.clear();
  if (signal == SIGSEGV) {
    outcome.faulted = true;
  } else {
    outcome.trap = static_cast<guest_abi::TrapCode>(trap_code);
  }
  return outcome;
}

wasm::Instruction instruction_of(wasm::Opcode opcode) {
  wasm::Instruction instruction;
  instruction.opcode = opcode;
  return instruction;
}

wasm::Instruction constant_of(const Operand& operand) {
  wasm::Instruction instruction;
  instruction.constant = operand.bits[0];
  std::memcpy(instruction.vector, operand.bits.data(), 16);
  switch (operand.type) {
    case 'i':
      instruction.opcode = wasm::Opcode::i32_const;
      break;
    case 'I':
      instruction.opcode = wasm::Opcode::i64_const;
      break;
    case 'f':
      instruction.opcode = wasm::Opcode::f32_const;
      break;
    case 'F':
      instruction.opcode = wasm::Opcode::f64_const;
      break;
    default:
      instruction.opcode = wasm::Opcode::v128_const;
  }
  return instruction;
}

Outcome run(const std::vector<wasm::Instruction>& instructions,
            const std::vector<Operand>& operands) {
  using enum NativeCode::Optimize;
  using enum NativeCode::See;
  const Outcome first = NativeCode(instructions, operands, kNo, kUnknown).run(operands);
  EXPECT_EQ(NativeCode(instructions, operands, kYes, kUnknown).run(operands), first);
  EXPECT_EQ(NativeCode(instructions, operands, kNo, kConstants).run(operands), first);
  EXPECT_EQ(NativeCode(instructions, operands, kYes, kConstants).run(operands), first);
  return first;
}

Outcome run(wasm::Opcode opcode, const std::vector<Operand>& operands) {
  return run(std::vector{instruction_of(opcode)}, operands);
}

}  // namespace mayfly::compiler
