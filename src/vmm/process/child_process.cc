// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Starting, waking and stopping a child.
#include "vmm/process/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "base/check.h"
#include "vmm/futex.h"

extern "C" const unsigned char mayfly_process_child_begin[];
extern "C" const unsigned char mayfly_process_child_end[];

namespace mayfly::vmm::process {
namespace {

constexpr auto kStartTime = std::chrono::seconds(10);

// SAFETY: clone(2) under glibc's other name. The usual one ThreadSanitizer takes for fork(), and
// fails where the memory is shared.
extern "C" int glibc_clone(int (*function)(void*), void* stack, int flags, void* argument,
                           ...) asm("__clone");

struct StartArguments {
  int program = -1;
  const std::vector<int>* kept = nullptr;
  char* const* argv = nullptr;
};

// Runs in the child on the parent's memory (CLONE_VM | CLONE_VFORK): system calls only.
int start_child(void* pointer) {
  const auto& arguments = *static_cast<const StartArguments*>(pointer);
  constexpr unsigned kCloseRangeCloexec = 1U << 2;
  if (::syscall(SYS_close_range, 0U, ~0U, kCloseRangeCloexec) != 0) ::_exit(120);
  for (const int file : *arguments.kept) {
    if (::fcntl(file, F_SETFD, 0) != 0) ::_exit(121);
  }
  char* const environment[] = {nullptr};
  ::syscall(SYS_execveat, arguments.program, "", arguments.argv, environment, AT_EMPTY_PATH);
  ::_exit(122);
}

struct Cloned {
  Fd pidfd;
  clockid_t cpu_clock = 0;
};

std::chrono::nanoseconds time_of(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// Clones with every signal blocked, so that no handler of the embedder runs on shared memory.
Result<Cloned> clone_child(StartArguments& arguments) {
  constexpr uint64_t kStackBytes = uint64_t{64} << 10;
  const Mapping stack = MAYFLY_TRY(Mapping::anonymous(kStackBytes));
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  CHECK(::pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
  int pidfd = -1;
  const int pid = glibc_clone(start_child, stack.data() + kStackBytes,
                              CLONE_VM | CLONE_VFORK | CLONE_PIDFD, &arguments, &pidfd);
  const int clone_errno = errno;
  CHECK(::pthread_sigmask(SIG_SETMASK, &before, nullptr) == 0);
  if (pid < 0) {
    errno = clone_errno;
    return host_error("clone of the process driver's child");
  }
  Cloned child{Fd(pidfd)};
  CHECK(::clock_getcpuclockid(pid, &child.cpu_clock) == 0, pid);
  return child;
}

}  // namespace

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    kill();
    control_memory_ = std::move(other.control_memory_);
    control_ = std::exchange(other.control_, nullptr);
    pidfd_ = std::move(other.pidfd_);
    maker_ = other.maker_;
    cpu_clock_ = other.cpu_clock_;
    cpu_time_at_start_ = other.cpu_time_at_start_;
  }
  return *this;
}

ChildProcess::~ChildProcess() { kill(); }

Result<ChildProcess> ChildProcess::start(const Fd& program,
                                         const std::vector<ChildMapping>& mappings,
                                         const ChildOptions& options) {
  const uint64_t table_bytes = mappings.size() * sizeof(ChildMapping);
  const uint64_t bytes = (kControlHeaderBytes + table_bytes + 4095) & ~uint64_t{4095};
  const Fd file = MAYFLY_TRY(create_memfd("mayfly-control", bytes));
  ChildProcess child;
  child.control_memory_ = MAYFLY_TRY(
      Mapping::file(file.get(), 0, bytes, Mapping::Access::kReadWrite, Mapping::Sharing::kShared));
  // SAFETY: the mapping is larger than Control and page aligned, and lives as long as `child`.
  child.control_ = reinterpret_cast<Control*>(child.control_memory_.data());
  Control& control = *child.control_;
  control.turn = kTurnChild;
  control.mapping_count = static_cast<uint32_t>(mappings.size());
  control.weakness = options.weakness;
  control.spin_ticks = options.spin_ticks;
  std::memcpy(child.control_memory_.data() + kControlHeaderBytes, mappings.data(), table_bytes);

  std::vector<int> kept = {file.get()};
  for (const ChildMapping& mapping : mappings) kept.push_back(mapping.file);
  std::string name = "mayfly-guest";
  std::string file_text = std::to_string(file.get());
  std::string bytes_text = std::to_string(bytes);
  std::string pid_text = std::to_string(::getpid());
  char* argv[] = {name.data(), file_text.data(), bytes_text.data(), pid_text.data(), nullptr};
  StartArguments arguments{program.get(), &kept, argv};
  Cloned cloned = MAYFLY_TRY(clone_child(arguments));
  child.pidfd_ = std::move(cloned.pidfd);
  child.maker_ = ::getpid();
  child.cpu_clock_ = cloned.cpu_clock;

  const auto until = std::chrono::steady_clock::now() + kStartTime;
  while (!child.has_turn()) {
    if (child.is_dead()) return unsupported("the process driver's child ended while starting");
    if (std::chrono::steady_clock::now() > until) {
      return unsupported("the process driver's child did not start within 10 s");
    }
    child.wait_turn(std::chrono::steady_clock::now() + std::chrono::milliseconds(20));
  }
  if (control.report != Report::kReady) {
    return Error{ErrorKind::kHost,
                 "the process driver's child failed at step " +
                     std::to_string(control.failed_step) + ": " +
                     std::strerror(control.failed_errno),
                 control.failed_errno};
  }
  child.cpu_time_at_start_ = time_of(child.cpu_clock_);
  return child;
}

void ChildProcess::give_turn() {
  __atomic_store_n(&control_->turn, kTurnChild, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&control_->child_sleeps, __ATOMIC_SEQ_CST) != 0) wake();
}

bool ChildProcess::has_turn() const {
  return __atomic_load_n(&control_->turn, __ATOMIC_ACQUIRE) != kTurnChild;
}

bool ChildProcess::wait_turn(std::chrono::steady_clock::time_point until) {
  if (has_turn()) return true;
  __atomic_store_n(&control_->host_sleeps, 1, __ATOMIC_SEQ_CST);
  futex_wait(control_->turn, kTurnChild, until);
  __atomic_store_n(&control_->host_sleeps, 0, __ATOMIC_RELAXED);
  return has_turn();
}

void ChildProcess::wake() { futex_wake(control_->turn); }

bool ChildProcess::is_dead() const {
  pollfd entry{pidfd_.get(), POLLIN, 0};
  return ::poll(&entry, 1, 0) == 1;
}

std::chrono::nanoseconds ChildProcess::cpu_time() const {
  return time_of(cpu_clock_) - cpu_time_at_start_;
}

void ChildProcess::interrupt() {
  ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGUSR1, nullptr, 0);
}

void ChildProcess::kill() {
  if (!pidfd_.valid()) return;
  const Fd pidfd = std::move(pidfd_);
  // A process that was forked from its maker has a copy of this, and the maker still needs it.
  if (::getpid() != maker_) return;
  ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
  siginfo_t info;
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED | __WALL) != 0 &&
         errno == EINTR) {
  }
}

Spawner::~Spawner() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Spawner::run(const std::function<void()>& function) {
  const std::lock_guard one_caller(callers_);
  if (!thread_.joinable()) thread_ = std::thread([this] { work(); });
  std::unique_lock lock(mutex_);
  next_ = &function;
  done_ = false;
  changed_.notify_all();
  changed_.wait(lock, [this] { return done_; });
}

void Spawner::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return next_ != nullptr || stopping_; });
    if (next_ == nullptr) return;
    (*next_)();
    next_ = nullptr;
    done_ = true;
    changed_.notify_all();
  }
}

Result<Fd> child_program() {
  const auto bytes = static_cast<size_t>(mayfly_process_child_end - mayfly_process_child_begin);
  Fd file = MAYFLY_TRY(create_memfd("mayfly-guest", 0));
  MAYFLY_TRY(write_whole(file.get(), {mayfly_process_child_begin, bytes}));
  if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) !=
      0) {
    return host_error("fcntl(F_ADD_SEALS)");
  }
  return file;
}

}  // namespace mayfly::vmm::process
