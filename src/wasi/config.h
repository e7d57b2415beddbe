// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// WasiConfig: what one program is given. What is not named here does not exist for it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mayfly::wasi {

enum class TreeAccess : uint8_t { kReadWrite, kReadOnly };

// A directory of the host that the program sees under a name of its own.
struct Preopen {
  std::string host_path;
  std::string guest_path;
  TreeAccess access = TreeAccess::kReadWrite;
};

// A directory in memory, empty at each start and wherever a state is restored.
struct MemoryDirectory {
  std::string guest_path;
  uint64_t bytes_max = uint64_t{64} << 20;  // of all files in it; then kNoSpc
  uint32_t files_max = 10000;               // files, directories and links; then kNoSpc
};

// What sockets of the program's own making may be used for (network.h has the forms of HOST:PORT).
struct NetworkConfig {
  std::vector<std::string> tcp_connect;  // HOST:PORT
  std::vector<std::string> tcp_listen;
  std::vector<std::string> udp_send;
  std::vector<std::string> udp_listen;
  bool lookups = false;     // of any name
  bool everything = false;  // all of that, everywhere
};

// Of wasi:logging, in the order of its WIT.
enum class LogLevel : uint8_t { kTrace, kDebug, kInfo, kWarn, kError, kCritical };

// Where a program's messages go. Texts are as the program wrote them, but for their length: a
// context is cut after 1 KiB, a message after 64 KiB.
struct LogConfig {
  LogLevel from = LogLevel::kTrace;  // messages of lower levels are dropped
  // Called on the thread of the call. Empty: all messages are dropped.
  std::function<void(LogLevel level, std::string_view context, std::string_view message)> sink;
};

// What wasi:keyvalue keeps its entries in.
struct KeyValueConfig {
  enum class Kind : uint8_t { kNone, kMemory, kFile };
  Kind kind = Kind::kNone;
  std::string path;  // kFile; it is made where there is none
  // Of all entries in memory, with 512 bytes for each; of the file. Then kNoSpc.
  uint64_t bytes_max = uint64_t{16} << 20;
};

struct WasiLimits {
  uint32_t open_files_max = 4096;  // handles at once, stdin, stdout and stderr included
  uint32_t poll_entries_max = 16384;
  // By which writes, set sizes and allocations may add to files, since the start or the last
  // restore; what is written over or removed again counts, too. Then kDQuot.
  uint64_t write_bytes_max = UINT64_MAX;
};

// HTTP requests, of wasi:http.
struct HttpConfig {
  std::vector<std::string> grants;  // http_grants.h
  std::string ca_file;              // certificates to trust, as PEM; empty: the system's
  uint32_t exchanges_max = 64;      // at once; then kMFile
};

struct WasiConfig {
  std::vector<std::string> args;                    // the first is the program's name
  std::vector<std::string> environ;                 // NAME=VALUE
  std::vector<Preopen> preopens;                    // fd 3 and following, in this order
  std::vector<MemoryDirectory> memory_directories;  // after the preopens
  // Listening sockets, after the directories. They are made non-blocking.
  std::vector<int> listeners;
  // The program uses duplicates of them. -1: not there.
  int stdin_fd = 0;
  int stdout_fd = 1;
  int stderr_fd = 2;
  NetworkConfig network;
  HttpConfig http;
  LogConfig log;
  KeyValueConfig key_value;
  std::map<std::string, std::string> config;  // what wasi:config has, in UTF-8
  WasiLimits limits;
  // Told which grant would allow a path that was denied (denials.h); the program then also has a
  // directory "/" in which nothing is. Empty: nobody is told.
  std::function<void(std::string_view line)> denied;
};

}  // namespace mayfly::wasi
