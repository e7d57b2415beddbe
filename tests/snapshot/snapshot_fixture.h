// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SnapshotTest: the program of counter.wat, compiled once, on each driver.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "runtime/build.h"
#include "runtime/guest_functions.h"
#include "runtime/image_runner.h"
#include "runtime/plan_builder.h"
#include "runtime/snapshot.h"
#include "vmm/vm.h"
#include "wasi/context.h"
#include "wasm/module.h"

namespace mayfly {

using runtime::CallOutcome;
using runtime::ImageRunner;
using runtime::Snapshot;
using runtime::SnapshotPtr;
using runtime::Value;

// One program with its own host side.
struct Running {
  std::unique_ptr<wasi::Context> wasi;
  std::unique_ptr<ImageRunner> runner;

  CallOutcome call(const std::string& name, std::vector<Value> arguments = {}) const {
    const image::ImageExport* function = runner->find_export(0, name);
    EXPECT_NE(function, nullptr) << name;
    const auto outcome = runner->call(function->func, arguments);
    EXPECT_TRUE(outcome) << outcome.error().message;
    return outcome ? *outcome : CallOutcome{};
  }
  int64_t number(const std::string& name, std::vector<uint32_t> arguments = {}) const {
    std::vector<Value> values;
    for (const uint32_t argument : arguments) values.push_back(Value::i32(argument));
    const CallOutcome outcome = call(name, values);
    EXPECT_TRUE(outcome.returned()) << name << ": " << to_string(outcome);
    if (!outcome.returned() || outcome.values.empty()) return -99999;
    const Value& value = outcome.values[0];
    return value.type == wasm::kI32 ? static_cast<int32_t>(value.bits.low)
                                    : static_cast<int64_t>(value.bits.low);
  }
  SnapshotPtr snapshot() const {
    auto taken = runner->snapshot();
    EXPECT_TRUE(taken) << taken.error().message;
    return taken ? *taken : nullptr;
  }
  void restore(const SnapshotPtr& to) const {
    const auto restored = runner->restore(to);
    EXPECT_TRUE(restored) << restored.error().message;
  }
};

class SnapshotTest : public testing::TestWithParam<vmm::Driver> {
 protected:
  static void SetUpTestSuite() {
    auto bytes = read_file(std::string(SNAPSHOT_MODULES) + "/counter.wasm", 1 << 20);
    ASSERT_TRUE(bytes);
    const auto module = wasm::decode(*bytes);
    ASSERT_TRUE(module) << module.error().message;
    runtime::PlanBuilder builder{runtime::GuestLibrary{}};
    ASSERT_TRUE(builder.instantiate(builder.add_module(*module), "counter"));
    image::BuildRequest request;
    request.modules.push_back(*std::move(bytes));
    request.module_names.emplace_back("counter");
    request.plan = builder.take_plan();
    auto built = runtime::build_image(request);
    ASSERT_TRUE(built) << built.error().message;
    auto opened = image::Image::open(std::move(built->image));
    ASSERT_TRUE(opened) << opened.error().message;
    image_ = std::move(*opened);
  }
  static void TearDownTestSuite() { image_.reset(); }
  void SetUp() override {
    auto host = vmm::Host::open(GetParam());
    if (!host) GTEST_SKIP() << "NO DRIVER: " << host.error().message;
    host_ = *std::move(host);
    std::string pattern = testing::TempDir() + "/mayfly-snapshot-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    std::ofstream(folder_ + "/data.txt") << "abcdef";
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  Running make() {
    Running running;
    wasi::WasiConfig config;
    config.preopens.push_back({folder_, "/"});
    auto context = wasi::Context::create(config);
    EXPECT_TRUE(context);
    running.wasi = *std::move(context);
    runtime::RunnerOptions options;
    options.ports.handler = running.wasi.get();
    options.tracking = vmm::Tracking::kOn;
    auto runner = ImageRunner::create(*host_, *image_, options);
    EXPECT_TRUE(runner) << runner.error().message;
    running.runner = *std::move(runner);
    return running;
  }
  // Instantiated.
  Running start() {
    Running running = make();
    const auto step = running.runner->run_step(0);
    EXPECT_TRUE(step && step->kind == runtime::StepOutcome::Kind::kInstantiated);
    return running;
  }

  static inline std::unique_ptr<image::Image> image_;
  std::unique_ptr<vmm::Host> host_;
  std::string folder_;
};

}  // namespace mayfly
