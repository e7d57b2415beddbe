// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declarations of the symbols of abi.h, types, and attributes that all functions share.
#include "compiler/module_emitter.h"

#include <llvm/BinaryFormat/Dwarf.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/DIBuilder.h>
#include <llvm/IR/DerivedTypes.h>

#include <memory>
#include <vector>

#include "base/check.h"
#include "guest_abi/instance.h"
#include "guest_abi/layout.h"

namespace mayfly::compiler {

namespace {

// guest_abi::MemoryInfo and TableInfo as words.
constexpr uint64_t kInfoWords = 4;
static_assert(sizeof(guest_abi::MemoryInfo) == 8 * kInfoWords);
static_assert(sizeof(guest_abi::TableInfo) == 8 * kInfoWords);

void set_placement(llvm::GlobalVariable& variable, ModuleEmitter::Distance distance) {
  if (distance == ModuleEmitter::Distance::kFar) variable.setCodeModel(llvm::CodeModel::Large);
}

}  // namespace

ModuleEmitter::ModuleEmitter(const ModuleShape& shape, llvm::LLVMContext& context)
    : shape_(shape),
      context_(context),
      module_(std::make_unique<llvm::Module>(shape.options.name, context)) {
  module_->addModuleFlag(llvm::Module::Warning, "Debug Info Version", llvm::DEBUG_METADATA_VERSION);
  module_->addModuleFlag(llvm::Module::Max, "Dwarf Version", 4);
  module_->setUwtable(llvm::UWTableKind::Async);
  debug_ = std::make_unique<llvm::DIBuilder>(*module_);
  file_ = debug_->createFile(shape.options.name, "");
  debug_->createCompileUnit(llvm::dwarf::DW_LANG_C, file_, "mayfly", true, "", 0, "",
                            llvm::DICompileUnit::LineTablesOnly);
}

ModuleEmitter::~ModuleEmitter() = default;

std::unique_ptr<llvm::Module> ModuleEmitter::take_llvm_module() {
  debug_->finalize();
  return std::move(module_);
}

llvm::Type* ModuleEmitter::value_type(const wasm::ValType& type) {
  switch (type.kind) {
    case wasm::ValKind::kI32:
      return llvm::Type::getInt32Ty(context_);
    case wasm::ValKind::kI64:
      return llvm::Type::getInt64Ty(context_);
    case wasm::ValKind::kF32:
      return llvm::Type::getFloatTy(context_);
    case wasm::ValKind::kF64:
      return llvm::Type::getDoubleTy(context_);
    case wasm::ValKind::kV128:
      return llvm::FixedVectorType::get(llvm::Type::getInt64Ty(context_), 2);
    case wasm::ValKind::kRef:
      return llvm::PointerType::get(context_, 0);
    case wasm::ValKind::kI8:
    case wasm::ValKind::kI16:
    case wasm::ValKind::kBottom:
      break;
  }
  CHECK(false, static_cast<int>(type.kind));
  return nullptr;
}

llvm::Type* ModuleEmitter::return_type(const wasm::FuncType& type) {
  std::vector<llvm::Type*> parts;
  if (!uses_result_area(type)) {
    for (const wasm::ValType& result : type.results) parts.push_back(value_type(result));
  }
  if (counts_fuel()) parts.push_back(llvm::Type::getInt64Ty(context_));
  if (parts.empty()) return llvm::Type::getVoidTy(context_);
  return parts.size() == 1 ? parts[0] : llvm::StructType::get(context_, parts);
}

llvm::FunctionType* ModuleEmitter::function_type(uint32_t type_index) {
  llvm::FunctionType*& known = function_types_[type_index];
  if (known != nullptr) return known;
  const wasm::FuncType& type = wasm().types[type_index].func;
  std::vector<llvm::Type*> params;
  if (counts_fuel()) params.push_back(llvm::Type::getInt64Ty(context_));
  if (uses_result_area(type)) params.push_back(llvm::PointerType::get(context_, 0));
  for (const wasm::ValType& param : type.params) params.push_back(value_type(param));
  known = llvm::FunctionType::get(return_type(type), params, false);
  return known;
}

llvm::FunctionType* ModuleEmitter::instantiate_type() {
  std::vector<llvm::Type*> params;
  if (counts_fuel()) params.push_back(llvm::Type::getInt64Ty(context_));
  return llvm::FunctionType::get(return_type({}), params, false);
}

llvm::Function* ModuleEmitter::new_function(llvm::FunctionType* type, const std::string& name) {
  llvm::Function* function =
      llvm::Function::Create(type, llvm::Function::ExternalLinkage, name, module_.get());
  function->setCallingConv(llvm::CallingConv::Tail);
  function->setDSOLocal(true);
  // Neither mustprogress nor willreturn: Wasm's endless loops are visible behaviour.
  function->addFnAttr(llvm::Attribute::NoUnwind);
  function->addFnAttr(llvm::Attribute::NullPointerIsValid);
  function->addFnAttr("no-builtins");
  function->setUWTableKind(llvm::UWTableKind::Async);
  function->addFnAttr("warn-stack-size", std::to_string(guest_abi::kFrameBytesMax));
  return function;
}

llvm::DISubprogram* ModuleEmitter::attach_subprogram(llvm::Function& function, uint64_t offset) {
  llvm::DISubroutineType* type = debug_->createSubroutineType(debug_->getOrCreateTypeArray({}));
  const auto line = static_cast<unsigned>(offset);
  llvm::DISubprogram* subprogram =
      debug_->createFunction(file_, function.getName(), function.getName(), file_, line, type, line,
                             llvm::DINode::FlagZero, llvm::DISubprogram::SPFlagDefinition);
  function.setSubprogram(subprogram);
  return subprogram;
}

llvm::GlobalVariable* ModuleEmitter::declare(llvm::Type* type, const std::string& name) {
  if (llvm::GlobalVariable* known = module_->getGlobalVariable(name)) return known;
  auto* variable = new llvm::GlobalVariable(  // owned by the LLVM module
      *module_, type, /*isConstant=*/false, llvm::GlobalValue::ExternalLinkage, nullptr, name);
  variable->setDSOLocal(true);
  variable->setAlignment(llvm::Align(1));
  return variable;
}

llvm::ArrayType* ModuleEmitter::words(uint64_t count) {
  return llvm::ArrayType::get(llvm::Type::getInt64Ty(context_), count);
}

llvm::GlobalVariable* ModuleEmitter::absolute(const std::string& name, Distance distance) {
  llvm::GlobalVariable* variable =
      declare(llvm::ArrayType::get(llvm::Type::getInt8Ty(context_), 0), name);
  set_placement(*variable, distance);
  return variable;
}

llvm::GlobalVariable* ModuleEmitter::private_constant(llvm::Constant* contents) {
  auto* variable = new llvm::GlobalVariable(  // owned by the LLVM module
      *module_, contents->getType(), /*isConstant=*/true, llvm::GlobalValue::PrivateLinkage,
      contents);
  variable->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
  return variable;
}

llvm::Function* ModuleEmitter::function(uint32_t index) {
  const std::string name = symbol("func", index);
  if (llvm::Function* known = module_->getFunction(name)) return known;
  return new_function(function_type(wasm().functions[index].type_index), name);
}

llvm::GlobalVariable* ModuleEmitter::funcref(uint32_t index) {
  return declare(words(2), symbol("funcref", index));
}

llvm::Constant* ModuleEmitter::memory(uint32_t index) {
  const bool is_low = shape_.options.placements[index] == Placement::kLow;
  return absolute(symbol("mem", index), is_low ? Distance::kNear : Distance::kFar);
}

llvm::GlobalVariable* ModuleEmitter::memory_info(uint32_t index) {
  return declare(words(kInfoWords), symbol("mem", index) + ".info");
}

llvm::GlobalVariable* ModuleEmitter::table(uint32_t index) {
  if (shape_.table_is_far[index]) return absolute(symbol("table", index), Distance::kFar);
  return declare(words(wasm().tables[index].type.limits.min), symbol("table", index));
}

llvm::GlobalVariable* ModuleEmitter::table_info(uint32_t index) {
  return declare(words(kInfoWords), symbol("table", index) + ".info");
}

llvm::GlobalVariable* ModuleEmitter::global(uint32_t index) {
  const bool is_vector = wasm().globals[index].type.type.kind == wasm::ValKind::kV128;
  return declare(words(is_vector ? 2 : 1), symbol("global", index));
}

llvm::Constant* ModuleEmitter::type_id(uint32_t type_index) {
  return llvm::ConstantExpr::getPtrToInt(absolute(symbol("type", type_index), Distance::kNear),
                                         llvm::Type::getInt32Ty(context_));
}

llvm::GlobalVariable* ModuleEmitter::data_segment(uint32_t index) {
  return declare(
      llvm::ArrayType::get(llvm::Type::getInt8Ty(context_), wasm().data[index].bytes.size),
      symbol("data", index));
}

llvm::GlobalVariable* ModuleEmitter::data_segment_size(uint32_t index) {
  return declare(words(1), symbol("data", index) + ".size");
}

llvm::GlobalVariable* ModuleEmitter::element_segment(uint32_t index) {
  return declare(words(wasm().elements[index].size()), symbol("elem", index));
}

llvm::GlobalVariable* ModuleEmitter::element_segment_size(uint32_t index) {
  return declare(words(1), symbol("elem", index) + ".size");
}

llvm::Function* ModuleEmitter::memory_grow() {
  const char* name = "mayfly_memory_grow";
  if (llvm::Function* known = module_->getFunction(name)) return known;
  llvm::Type* i64 = llvm::Type::getInt64Ty(context_);
  llvm::Type* ptr = llvm::PointerType::get(context_, 0);
  llvm::Function* function = new_function(llvm::FunctionType::get(i64, {ptr, i64}, false), name);
  function->setCallingConv(llvm::CallingConv::C);
  return function;
}

llvm::Function* ModuleEmitter::table_grow() {
  const char* name = "mayfly_table_grow";
  if (llvm::Function* known = module_->getFunction(name)) return known;
  llvm::Type* i64 = llvm::Type::getInt64Ty(context_);
  llvm::Type* ptr = llvm::PointerType::get(context_, 0);
  llvm::Function* function =
      new_function(llvm::FunctionType::get(i64, {ptr, i64, i64}, false), name);
  function->setCallingConv(llvm::CallingConv::C);
  return function;
}

llvm::Constant* ModuleEmitter::constant(const ConstantValue& value, const wasm::ValType& type) {
  llvm::Type* wanted = value_type(type);
  switch (value.kind) {
    case ConstantValue::Kind::kUnknown:
      return nullptr;
    case ConstantValue::Kind::kNull:
      return llvm::Constant::getNullValue(wanted);
    case ConstantValue::Kind::kFuncref:
      return funcref(value.function_index);
    case ConstantValue::Kind::kNumber:
      break;
  }
  if (wanted->isVectorTy()) {
    return llvm::ConstantDataVector::get(context_, llvm::ArrayRef<uint64_t>{value.low, value.high});
  }
  if (wanted->isIntegerTy()) return llvm::ConstantInt::get(wanted, value.low);
  llvm::Type* bits = llvm::Type::getIntNTy(context_, wanted->getScalarSizeInBits());
  return llvm::ConstantExpr::getBitCast(llvm::ConstantInt::get(bits, value.low), wanted);
}

llvm::Constant* ModuleEmitter::constant_global(uint32_t index) {
  if (wasm().globals[index].type.is_mutable) return nullptr;
  return constant(shape_.globals[index], wasm().globals[index].type.type);
}

}  // namespace mayfly::compiler
