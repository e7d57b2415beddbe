// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM's disassembler and object reader, as compiled_code.h offers them to tests.
#include "compiler/compiled_code.h"

#include <gtest/gtest.h>
#include <llvm/ADT/StringExtras.h>
#include <llvm/DebugInfo/DWARF/DWARFContext.h>
#include <llvm/MC/MCAsmInfo.h>
#include <llvm/MC/MCContext.h>
#include <llvm/MC/MCDisassembler/MCDisassembler.h>
#include <llvm/MC/MCInst.h>
#include <llvm/MC/MCInstPrinter.h>
#include <llvm/MC/MCInstrInfo.h>
#include <llvm/MC/MCRegisterInfo.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Object/ELFObjectFile.h>
#include <llvm/Support/TargetSelect.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>

#include "base/check.h"
#include "wasm/module.h"

namespace mayfly::compiler {

namespace {

template <typename T>
T need(llvm::Expected<T> value) {
  if (!value) {
    const std::string text = llvm::toString(value.takeError());
    CHECK(false, text);
  }
  return std::move(*value);
}

using ObjectFile = llvm::object::ObjectFile;

std::unique_ptr<ObjectFile> open_object(const std::vector<uint8_t>& bytes) {
  const llvm::StringRef contents = llvm::toStringRef(llvm::ArrayRef<uint8_t>(bytes));
  return need(ObjectFile::createObjectFile(llvm::MemoryBufferRef(contents, "object")));
}

struct FunctionBytes {
  std::vector<uint8_t> code;
  uint64_t address = 0;
  std::map<uint64_t, std::string> relocations;  // by address: what they refer to
};

std::string target_of(const llvm::object::ELFRelocationRef& relocation) {
  const auto symbol = relocation.getSymbol();
  std::string text = need(symbol->getName()).str();
  const int64_t addend = need(relocation.getAddend());
  const bool is_relative = relocation.getType() == llvm::ELF::R_X86_64_PC32 ||
                           relocation.getType() == llvm::ELF::R_X86_64_PLT32;
  if (addend != 0 && !is_relative) text += "+" + std::to_string(addend);
  return text;
}

bool find_function(const ObjectFile& object, const std::string& name, FunctionBytes& found) {
  for (const llvm::object::ELFSymbolRef symbol :
       static_cast<const llvm::object::ELFObjectFileBase&>(object).symbols()) {
    if (need(symbol.getName()) != name) continue;
    const auto section = need(symbol.getSection());
    if (section == object.section_end()) continue;
    const llvm::StringRef contents = need(section->getContents());
    found.address = need(symbol.getAddress());
    const llvm::StringRef code = contents.substr(found.address, symbol.getSize());
    found.code.assign(code.begin(), code.end());
    for (const llvm::object::SectionRef& other : object.sections()) {
      if (need(other.getRelocatedSection()) != section) continue;
      for (const llvm::object::ELFRelocationRef relocation : other.relocations()) {
        found.relocations[relocation.getOffset()] = target_of(relocation);
      }
    }
    return true;
  }
  return false;
}

FunctionBytes find_function(const CompiledModule& module, const std::string& name) {
  FunctionBytes found;
  for (const std::vector<uint8_t>& object : module.objects) {
    if (find_function(*open_object(object), name, found)) return found;
  }
  CHECK(false, name);
  return found;
}

class Disassembler {
 public:
  Disassembler() {
    initialize_disassembler();
    std::string error;
    const std::string triple = "x86_64-unknown-none-elf";
    target_ = llvm::TargetRegistry::lookupTarget(triple, error);
    CHECK(target_ != nullptr, error);
    registers_.reset(target_->createMCRegInfo(triple));
    assembly_.reset(target_->createMCAsmInfo(*registers_, triple, llvm::MCTargetOptions()));
    subtarget_.reset(target_->createMCSubtargetInfo(triple, "x86-64-v3", ""));
    instructions_.reset(target_->createMCInstrInfo());
    context_ = std::make_unique<llvm::MCContext>(llvm::Triple(triple), assembly_.get(),
                                                 registers_.get(), subtarget_.get());
    disassembler_.reset(target_->createMCDisassembler(*subtarget_, *context_));
    printer_.reset(target_->createMCInstPrinter(llvm::Triple(triple), 0, *assembly_, *instructions_,
                                                *registers_));
  }

  std::string text(const FunctionBytes& function) {
    std::string all;
    for (uint64_t at = 0; at < function.code.size();) {
      llvm::MCInst instruction;
      uint64_t size = 1;
      const auto rest = llvm::ArrayRef<uint8_t>(function.code).drop_front(at);
      disassembler_->getInstruction(instruction, size, rest, at, llvm::nulls());
      std::string line;
      llvm::raw_string_ostream stream(line);
      printer_->printInst(&instruction, function.address + at, "", *subtarget_, stream);
      for (char& letter : line) letter = letter == '\t' ? ' ' : letter;
      const auto first = function.relocations.lower_bound(function.address + at);
      const auto last = function.relocations.lower_bound(function.address + at + size);
      for (auto i = first; i != last; ++i) line += " ; " + i->second;
      all += line.substr(line.find_first_not_of(' ')) + "\n";
      at += size;
    }
    return all;
  }

 private:
  static void initialize_disassembler() {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86Disassembler();
  }

  const llvm::Target* target_ = nullptr;
  std::unique_ptr<llvm::MCRegisterInfo> registers_;
  std::unique_ptr<llvm::MCAsmInfo> assembly_;
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget_;
  std::unique_ptr<llvm::MCInstrInfo> instructions_;
  std::unique_ptr<llvm::MCContext> context_;
  std::unique_ptr<llvm::MCDisassembler> disassembler_;
  std::unique_ptr<llvm::MCInstPrinter> printer_;
};

}  // namespace

std::vector<uint8_t> assemble(const std::string& wat) {
  const std::string stem = testing::TempDir() + "mayfly_" + std::to_string(getpid());
  std::ofstream(stem + ".wat") << wat;
  const std::string command = "wat2wasm --enable-all " + stem + ".wat -o " + stem + ".wasm";
  CHECK(std::system(command.c_str()) == 0, wat);
  std::ifstream file(stem + ".wasm", std::ios::binary);
  std::vector<uint8_t> bytes((std::istreambuf_iterator<char>(file)), {});
  std::remove((stem + ".wat").c_str());
  std::remove((stem + ".wasm").c_str());
  return bytes;
}

Result<CompiledModule> compile_text(const std::string& wat, CompileOptions options) {
  const std::vector<uint8_t> bytes = assemble(wat);
  const wasm::Module module = MAYFLY_TRY(wasm::decode(bytes));
  options.placements.resize(module.memories.size(), Placement::kLow);
  options.verification = Verification::kOn;
  return compile_module(module, bytes, options);
}

std::string disassemble(const CompiledModule& module, const std::string& function) {
  return Disassembler().text(find_function(module, function));
}

Symbols symbols_of(const CompiledModule& module) {
  Symbols all;
  std::set<std::string> used;
  for (const std::vector<uint8_t>& bytes : module.objects) {
    const std::unique_ptr<ObjectFile> object = open_object(bytes);
    for (const llvm::object::SymbolRef& symbol : object->symbols()) {
      const uint32_t flags = need(symbol.getFlags());
      if ((flags & llvm::object::SymbolRef::SF_Global) == 0) continue;
      const bool is_undefined = (flags & llvm::object::SymbolRef::SF_Undefined) != 0;
      (is_undefined ? used : all.defined).insert(need(symbol.getName()).str());
    }
  }
  for (const std::string& name : used) {
    if (!all.defined.contains(name)) all.undefined.insert(name);
  }
  return all;
}

std::vector<uint64_t> lines_of(const CompiledModule& module, const std::string& function) {
  std::vector<uint64_t> lines;
  for (const std::vector<uint8_t>& bytes : module.objects) {
    const std::unique_ptr<ObjectFile> object = open_object(bytes);
    FunctionBytes found;
    if (!find_function(*object, function, found)) continue;
    const std::unique_ptr<llvm::DWARFContext> debug = llvm::DWARFContext::create(*object);
    for (const auto& unit : debug->compile_units()) {
      for (const auto& row : debug->getLineTableForUnit(unit.get())->Rows) {
        const uint64_t at = row.Address.Address - found.address;
        if (at < found.code.size() && !row.EndSequence) lines.push_back(row.Line);
      }
    }
  }
  return lines;
}

}  // namespace mayfly::compiler
