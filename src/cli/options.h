// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What each subcommand was asked to do: plain values, filled by command_line.cc and used by the
// file of the subcommand.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "image/build_request.h"

namespace mayfly::cli {

// Exit codes (docs: mayfly --help). A guest's own code is passed through.
inline constexpr int kExitOk = 0;
inline constexpr int kExitBadInput = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitDeadline = 124;
inline constexpr int kExitOutOfFuel = 125;
inline constexpr int kExitTrap = 134;
inline constexpr int kExitSignal = 128;  // and its number

enum class DriverChoice : uint8_t { kAuto, kKvm, kProcess };
enum class OutputForm : uint8_t { kText, kJson };

// How code is generated; for every command that compiles.
struct CompileOptions {
  image::OptLevel opt_level = image::OptLevel::kO2;
  image::CpuLevel cpu = image::CpuLevel::kBaseline;
  image::MemoryClass memory_class = image::MemoryClass::kAuto;
  uint64_t memory_bytes_max = uint64_t{4} << 30;  // reserved for a memory that can grow
  bool fuel = false;                              // code counts what it runs (docs/fuel.md)
  bool bench = false;                             // provide bench.start and bench.end
  bool trap_missing = false;                      // of a component's imports
  std::vector<std::string> preloads;  // NAME=FILE, linked in this order before the program
};

// Whether and how compiled code is kept on disk.
struct CacheUse {
  bool enabled = false;
  uint64_t bytes_max = uint64_t{4} << 30;
  bool verbose = false;  // say why it was of no use
};

struct RunOptions {
  std::string file;
  std::vector<std::string> arguments;
  CompileOptions compile;
  DriverChoice driver = DriverChoice::kAuto;
  std::string invoke;
  std::vector<std::string> environment;       // K=V
  std::vector<std::string> directories;       // HOST[::GUEST][:ro]
  std::vector<std::string> tmpfs;             // GUEST[:SIZE]
  std::vector<std::string> listen_addresses;  // ADDRESS:PORT
  std::vector<std::string> tcp;               // HOST:PORT, as of all these (wasi/network.h)
  std::vector<std::string> tcp_listen;
  std::vector<std::string> udp;
  std::vector<std::string> udp_listen;
  bool allow_dns = false;
  bool inherit_network = false;
  std::vector<std::string> http_hosts;  // HOST[:PORT]
  std::string http_ca_file;
  std::string log_level = "trace";        // of wasi:logging
  std::vector<std::string> config;        // KEY=VALUE
  std::vector<std::string> config_files;  // before those of `config`
  std::string keyvalue;                   // a file; empty: in memory
  std::optional<uint64_t> keyvalue_bytes_max;
  uint32_t open_files_max = 4096;
  uint64_t write_bytes_max = UINT64_MAX;
  bool trace_ports = false;
  uint64_t memory_bytes_max = uint64_t{4} << 30;
  std::optional<std::chrono::nanoseconds> timeout;
  CacheUse cache{.enabled = true};
  std::optional<uint64_t> fuel;
  bool trust_image = false;
  bool verify = false;  // all of a snapshot
  bool timings = false;
  bool jail = false;  // jail.h
  // The file of `mayfly snapshot`: the state goes there instead of running _start.
  std::string save_to;
};

enum class CacheAction : uint8_t { kList, kClear, kPath };
struct CacheCommandOptions {
  CacheAction action = CacheAction::kList;
  OutputForm form = OutputForm::kText;
};

struct CompileCommandOptions {
  std::string file;
  std::string output;
  CompileOptions compile;
  bool timings = false;
};

struct InspectOptions {
  std::string file;
  bool wit = false;     // a component's world as WIT, and nothing else
  bool verify = false;  // all of a snapshot
  OutputForm form = OutputForm::kText;
};

struct BindgenOptions {
  std::string file;    // a component, a .wit file, or a folder of them
  std::string world;   // its name, or with its package; empty: the only one
  std::string output;  // a folder
};

struct BenchOptions {
  std::string file;
  std::vector<std::string> arguments;
  std::string invoke;
  CompileOptions compile;
  DriverChoice driver = DriverChoice::kAuto;
  CacheUse cache{.enabled = true};
  std::optional<std::chrono::nanoseconds> timeout;                 // of each call
  std::chrono::nanoseconds time = std::chrono::milliseconds(500);  // of each row
  bool trust_image = false;
  OutputForm form = OutputForm::kText;
};

struct DoctorOptions {
  DriverChoice driver = DriverChoice::kAuto;
  OutputForm form = OutputForm::kText;
};

struct WastOptions {
  std::vector<std::string> files;
  DriverChoice driver = DriverChoice::kAuto;
  CompileOptions compile;
  uint32_t jobs = 1;
  std::string save_images;  // a folder, or empty
  std::string use_images;   // likewise
  bool verbose = false;
};

// The subcommands. Each answers the exit code.
int run_command(const RunOptions& options);  // and `mayfly snapshot`
int compile_command(const CompileCommandOptions& options);
int inspect_command(const InspectOptions& options);
int bindgen_command(const BindgenOptions& options);
int bench_command(const BenchOptions& options);
int doctor_command(const DoctorOptions& options);
int wast_command(const WastOptions& options);
int cache_command(const CacheCommandOptions& options);

}  // namespace mayfly::cli
