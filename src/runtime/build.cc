// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Starts the child, waits for its end within the time allowed, and reads what it left.
#include "runtime/build.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "image/build_descriptors.h"

namespace mayfly::runtime {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kReplyBytesMax = uint64_t{1} << 20;

// The three files of a build and the child's standard error.
struct BuildFiles {
  Fd request;
  Fd image;
  Fd reply;
  Fd complaints;
};

Result<BuildFiles> make_files(const image::BuildRequest& request) {
  BuildFiles files;
  files.request = MAYFLY_TRY(create_memfd("mayfly-build-request", 0));
  MAYFLY_TRY(write_whole(files.request.get(), encode(request)));
  if (::lseek(files.request.get(), 0, SEEK_SET) != 0) return host_error("lseek");
  files.image = MAYFLY_TRY(create_memfd("mayfly-image", 0));
  files.reply = MAYFLY_TRY(create_memfd("mayfly-build-reply", 0));
  files.complaints = MAYFLY_TRY(create_memfd("mayfly-build-complaints", 0));
  return files;
}

// An empty environment, but for what sanitized builds are told by.
std::vector<std::string> child_environment() {
  std::vector<std::string> variables;
  for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name); value != nullptr) {
      variables.push_back(std::string(name) + "=" + value);
    }
  }
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  out.reserve(strings.size() + 1);
  for (std::string& text : strings) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// posix_spawn's description of the child's descriptors.
class FileActions {
 public:
  FileActions() { CHECK(::posix_spawn_file_actions_init(&actions_) == 0); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  void open_null(int to) {
    CHECK(::posix_spawn_file_actions_addopen(&actions_, to, "/dev/null", O_RDWR, 0) == 0);
  }
  void duplicate(int from, int to) {
    CHECK(::posix_spawn_file_actions_adddup2(&actions_, from, to) == 0);
  }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

// Duplicates above the numbers that the child uses: no dup2 overwrites the source of a later one.
Result<std::array<Fd, 4>> high_duplicates(const BuildFiles& files) {
  std::array<Fd, 4> high;
  const std::array<int, 4> from = {files.request.get(), files.image.get(), files.reply.get(),
                                   files.complaints.get()};
  for (size_t i = 0; i < from.size(); ++i) {
    high[i] =
        Fd(::fcntl(from[i], F_DUPFD_CLOEXEC, static_cast<int>(image::kFirstUnusedDescriptor)));
    if (!high[i].valid()) return host_error("fcntl(F_DUPFD_CLOEXEC)");
  }
  return high;
}

Result<pid_t> start(const BuildFiles& files, const BuildEnvironment& environment) {
  const std::string path = MAYFLY_TRY(compiler_path(environment));
  const std::array<Fd, 4> high = MAYFLY_TRY(high_duplicates(files));
  FileActions actions;
  actions.open_null(STDIN_FILENO);
  actions.open_null(STDOUT_FILENO);
  actions.duplicate(high[0].get(), image::kRequestDescriptor);
  actions.duplicate(high[1].get(), image::kImageDescriptor);
  actions.duplicate(high[2].get(), image::kReplyDescriptor);
  actions.duplicate(high[3].get(), STDERR_FILENO);
  // Every thread of the child may run for the whole time.
  constexpr int64_t kThreads = 64;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(environment.time_max).count();
  std::vector<std::string> arguments = {path, std::to_string(environment.memory_bytes_max),
                                        std::to_string(seconds * kThreads)};
  std::vector<std::string> variables = child_environment();
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, path.c_str(), actions.get(), nullptr,
                                   pointers(arguments).data(), pointers(variables).data());
  if (failed != 0) {
    errno = failed;
    Error error = host_error("cannot start the compiler " + path);
    if (failed == ENOENT) error.message += " ($MAYFLY_COMPILER can name another)";
    return error;
  }
  return child;
}

// Waits for the child's end; kills it when its time is over.
Result<int> wait_for(pid_t child, const BuildEnvironment& environment) {
  const auto started = std::chrono::steady_clock::now();
  const Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  bool killed = false;
  for (;;) {
    struct pollfd ended = {handle.get(), POLLIN, 0};
    // Without a handle (kernels before 5.3) this is a sleep.
    const int ready = ::poll(&ended, handle.valid() ? 1 : 0, handle.valid() ? 100 : 1);
    int status = 0;
    const pid_t reaped = ::waitpid(child, &status, WNOHANG);
    if (reaped == child) {
      if (killed) {
        return Error{
            ErrorKind::kTimeout,
            "compiling took longer than " + std::to_string(environment.time_max.count()) + " ms",
            0};
      }
      return status;
    }
    if (reaped < 0 && errno != EINTR) return host_error("waitpid for the compiler");
    const auto elapsed =
        std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - started);
    if (elapsed >= environment.time_max && !killed) {
      ::kill(child, SIGKILL);
      killed = true;
    }
    if (ready == 0 && environment.progress) environment.progress(elapsed);
  }
}

// The first line that the child wrote to standard error, with a colon in front.
std::string first_complaint(const BuildFiles& files) {
  std::array<char, 512> text{};
  const ssize_t size = ::pread(files.complaints.get(), text.data(), text.size(), 0);
  if (size <= 0) return "";
  const std::string all(text.data(), static_cast<size_t>(size));
  return ": " + all.substr(0, all.find('\n'));
}

Error ended_badly(int status, const BuildFiles& files, const BuildEnvironment& environment) {
  Error error{ErrorKind::kHost, "", 0};
  if (WIFSIGNALED(status)) {
    error.message = "the compiler ended with signal " + std::to_string(WTERMSIG(status)) +
                    " (a bug in Mayfly)" + first_complaint(files);
  } else if (WEXITSTATUS(status) == image::kExitOutOfMemory) {
    error = limit("the compiler needs more than " + std::to_string(environment.memory_bytes_max) +
                  " bytes of memory");
  } else {
    error.message = "the compiler ended with status " + std::to_string(WEXITSTATUS(status)) +
                    " and no reply" + first_complaint(files);
  }
  return error;
}

Result<void> seal(const Fd& file) {
  if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) !=
      0) {
    return host_error("fcntl(F_ADD_SEALS)");
  }
  return {};
}

}  // namespace

Result<std::string> compiler_path(const BuildEnvironment& environment) {
  if (!environment.compiler.empty()) return environment.compiler;
  if (const char* path = std::getenv("MAYFLY_COMPILER"); path != nullptr) return std::string(path);
  std::array<char, 4096> self{};
  const ssize_t size = ::readlink("/proc/self/exe", self.data(), self.size());
  if (size <= 0 || static_cast<size_t>(size) == self.size()) return host_error("/proc/self/exe");
  std::string path(self.data(), static_cast<size_t>(size));
  return path.substr(0, path.rfind('/') + 1) + "mayfly-compiler";
}

Result<Built> build_image(const image::BuildRequest& request, const BuildEnvironment& environment) {
  BuildFiles files = MAYFLY_TRY(make_files(request));
  const pid_t child = MAYFLY_TRY(start(files, environment));
  const int status = MAYFLY_TRY(wait_for(child, environment));
  if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) {
    return ended_badly(status, files, environment);
  }
  if (::lseek(files.reply.get(), 0, SEEK_SET) != 0) return host_error("lseek");
  const std::vector<uint8_t> bytes = MAYFLY_TRY(read_whole(files.reply.get(), kReplyBytesMax));
  if (bytes.empty()) return ended_badly(status, files, environment);
  Built built;
  built.reply = MAYFLY_TRY(image::decode_build_reply(bytes));
  if (!built.reply.ok) return built.reply.error;
  MAYFLY_TRY(seal(files.image));
  built.image = std::move(files.image);
  return built;
}

}  // namespace mayfly::runtime
