// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// getrandom(2), for sixteen seeds at once.
#include "runtime/seed_source.h"

#include <sys/random.h>
#include <unistd.h>

#include <cstring>

namespace mayfly::runtime {

Result<SeedSource::Seed> SeedSource::next() {
  const pid_t pid = ::getpid();
  if (next_ == end_ || pid != pid_) {
    const size_t count_new = end_ == 0 ? kFirst : kAhead;
    const size_t bytes_new = count_new * sizeof(Seed);
    auto* const bytes = static_cast<void*>(seeds_.data());
    // Up to 256 bytes never come short; more may, when a signal comes.
    for (size_t done = 0; done < bytes_new;) {
      const ssize_t count = ::getrandom(static_cast<uint8_t*>(bytes) + done, bytes_new - done, 0);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return host_error("getrandom");
      done += static_cast<size_t>(count);
    }
    next_ = 0;
    end_ = count_new;
    pid_ = pid;
  }
  const Seed seed = seeds_[next_];
  explicit_bzero(&seeds_[next_++], sizeof seed);
  return seed;
}

}  // namespace mayfly::runtime
