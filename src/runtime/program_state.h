// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ProgramState: what a public Program stands for: a valid module or component with its bytes, or an
// image.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/image.h"
#include "linker/graph.h"
#include "wasm/module.h"

namespace mayfly::runtime {

// Immutable, shareable between threads.
class ProgramState {
  struct Key {
    explicit Key() = default;
  };

 public:
  // number is unique in its engine.
  // Errors: kInvalid with name and offset; kLimit; kUnsupported.
  static Result<std::shared_ptr<const ProgramState>> create(std::string name,
                                                            std::vector<uint8_t> bytes,
                                                            uint64_t number);

  // A program that was compiled and linked before.
  static std::shared_ptr<const ProgramState> of_image(std::string name,
                                                      std::shared_ptr<const image::Image> image,
                                                      uint64_t number);

  // Use create() or of_image().
  ProgramState(Key, std::string name, std::shared_ptr<const image::Image> image, uint64_t number)
      : name_(std::move(name)), image_(std::move(image)), number_(number) {}
  ProgramState(Key, std::string name, std::vector<uint8_t> bytes, wasm::Module module,
               uint64_t number)
      : name_(std::move(name)),
        bytes_(std::move(bytes)),
        module_(std::move(module)),
        number_(number) {}
  ProgramState(Key, std::string name, std::shared_ptr<const linker::ComponentFile> component,
               uint64_t number)
      : name_(std::move(name)), component_(std::move(component)), number_(number) {}

  const std::string& name() const { return name_; }
  const std::vector<uint8_t>& bytes() const { return bytes_; }
  const wasm::Module& module() const { return module_; }
  // At most one is there, and then bytes() and module() are empty. Both null: it is a module.
  const std::shared_ptr<const image::Image>& image() const { return image_; }
  const std::shared_ptr<const linker::ComponentFile>& component() const { return component_; }
  uint64_t number() const { return number_; }

 private:
  std::string name_;
  std::vector<uint8_t> bytes_;
  wasm::Module module_;
  std::shared_ptr<const image::Image> image_;
  std::shared_ptr<const linker::ComponentFile> component_;
  uint64_t number_;
};

}  // namespace mayfly::runtime
