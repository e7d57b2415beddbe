// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The signal that makes a thread leave its guest: it interrupts KVM_RUN and does nothing else.
#pragma once

#include "base/result.h"

namespace mayfly::vmm {

// SIGRTMAX - 1.
int default_kick_signal();

// Installs the handler once per process. A handler that was there before is kept: ours calls it.
Result<void> install_kick_signal(int signal);

// Lets the calling thread receive the signal.
void unblock_kick_signal(int signal);

}  // namespace mayfly::vmm
