// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Linker: says what a program's imports are bound to, and makes sandboxes of the result.
//
//   Linker linker(engine);
//   linker.define("env", "add", [](int32_t a, int32_t b) { return a + b; });
//   auto sandbox = linker.instantiate(program, Policy().deadline(50ms));
//
// Threads: one at a time while it is being filled; prepare() and instantiate() of a Linker that
// nobody changes any more may run on any number of threads at once.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "mayfly/component_host_function.h"
#include "mayfly/engine.h"
#include "mayfly/export.h"
#include "mayfly/host_function.h"
#include "mayfly/policy.h"
#include "mayfly/program.h"
#include "mayfly/result.h"
#include "mayfly/sandbox.h"
#include "mayfly/snapshot.h"

namespace mayfly {

class MAYFLY_API Linker {
 public:
  // Knows WASI preview 1 by name, which grants nothing: that is Policy's part.
  explicit Linker(const Engine& engine);
  Linker(Linker&& other) noexcept;
  Linker& operator=(Linker&& other) noexcept;
  ~Linker();

  // Binds imports of (module, name) to a C++ callable. Its signature is the import's type, checked
  // when a program is linked: a leading Caller& if wanted, parameters, and the result, which may be
  // a Result, whose Error ends the call as a trap.
  // Of modules: values as in mayfly/value.h; the result also void, or a std::tuple of values.
  // Of components: the function `name` of an interface, "ns:pkg/interface@1.0.0", or of none, "";
  // types as in mayfly/component_type.h, views among them; the result also void. Compatible
  // versions and "[resource-drop]NAME" are as for define_component().
  // The callable is shared by all sandboxes, and called on the thread that calls the sandbox.
  // An exception that it throws ends the call as a trap.
  // A name that is defined twice is an error of prepare(). It comes before WASI's own.
  template <typename F>
  Linker& define(std::string_view module, std::string_view name, F&& callable) {
    return add(module, name, detail::defined_function(std::forward<F>(callable)));
  }

  // For functions that may hang: run by one of EngineOptions::blocking_threads_max threads, with
  // copies of the arguments and without a Caller. The only kind whose call ends at its deadline
  // while the function still runs; what it answers later is dropped.
  template <typename F>
  Linker& define_blocking(std::string_view module, std::string_view name, F&& callable) {
    using Arguments = typename detail::SignatureOf<std::decay_t<F>>::Arguments;
    static_assert(!detail::Parameters<Arguments>::kTakesCaller,
                  "a blocking function may outlive its call, so it cannot have a Caller");
    return add(module, name,
               {detail::host_function(std::forward<F>(callable), detail::HostMode::kBlocking), {}});
  }

  // With a type that is known at run time. The answer must have the results of that type.
  Linker& define_dynamic(std::string_view module, std::string_view name, FunctionType type,
                         DynamicFunction function);

  // For components: the function `name` of an interface, "ns:pkg/interface@1.0.0", or of none, "".
  // An import of a compatible version is bound too; one of the same version, if defined, comes
  // first. Arguments have the types of the import, and the answer has to have its result's.
  // "[resource-drop]NAME" is called with the handle of a resource of the host that the component
  // drops; where nothing defines it, nothing is called.
  Linker& define_component(std::string_view interface, std::string_view name,
                           DynamicComponentFunction function);

  // The resource `name` of an interface, or of none, "", is T of the host (mayfly/resource.h): its
  // functions, which define() binds, have Own<T> and Borrow<T> for it. The T that a component drops
  // is destroyed, as `delete` does it.
  template <typename T>
  Linker& define_resource(std::string_view interface, std::string_view name) {
    return add_resource(interface, name, detail::kResourceKind<T>);
  }

  // An instance of the program comes first in each sandbox; its exports are imported by its name.
  // Later ones can import from earlier ones.
  Linker& link(std::string_view name, const Program& program);

  // Whether imports of WASI preview 1 are bound to Mayfly's own. Default: true.
  Linker& wasi(bool is_known);

  // Compiles the program with everything that it is bound to; a second time costs nothing.
  // Errors: kLink with every import that is missing or of another type; kInvalid for a name that
  // is defined twice; kUnsupported, kLimit, kTimeout and kHost of the compiler.
  Result<void> prepare(const Program& program) const;

  // A sandbox with all instances made and start functions run, prepared first if need be.
  // A start function that does not return is an Error (kState), and *ended says how it ended.
  // Errors also: those of prepare(); kLimit and kInvalid for Limits that cannot be; kHost.
  Result<Sandbox> instantiate(const Program& program, const Policy& policy = Policy(),
                              CallOutcome* ended = nullptr) const;
  // A sandbox that goes on from a snapshot, with a policy of its own: no start function runs.
  // Any linker of the snapshot's engine will do: the snapshot knows what its program is bound to.
  // Errors: kLimit and kInvalid for Limits that cannot be; kHost.
  Result<Sandbox> instantiate(const Snapshot& snapshot, const Policy& policy = Policy()) const;

  // A snapshot that Snapshot::save() or `mayfly snapshot` wrote, with the program in it bound to
  // this linker's functions: nothing is compiled. Sandboxes of the same program, by its contents,
  // can go back to it. It has no files open besides those that each sandbox is given.
  // The file is read where sandboxes touch its pages, so it is to stay as it is, under any name or
  // none: what is changed or cut short ends calls as kHostError. A file that others can write, or
  // of another owner than this user or root, is copied to memory first.
  // Errors: kInvalid with what is damaged; kUnsupported for another version, a CPU feature that
  // is missing, or a file that is not to be trusted; kLink with the functions that are missing;
  // kHost.
  Result<Snapshot> load_snapshot(std::string_view path,
                                 const SnapshotFileOptions& options = {}) const;
  // The same of a component: the file does not hold the types of its functions, the program does.
  // Its functions can be called in the snapshot's sandboxes, and may be defined by this linker.
  // Errors: also kInvalid when the program is no component; kLink when the snapshot is of another.
  Result<Snapshot> load_snapshot(std::string_view path, const Program& program,
                                 const SnapshotFileOptions& options = {}) const;

 private:
  struct State;
  Linker& add_resource(std::string_view interface, std::string_view name,
                       const detail::ResourceKind& kind);
  Linker& add(std::string_view module, std::string_view name, detail::DefinedFunction function);
  std::unique_ptr<State> state_;
};

}  // namespace mayfly
