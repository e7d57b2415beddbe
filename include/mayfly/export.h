// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MAYFLY_API marks what libmayfly.so exports. Everything else in it is hidden.
#pragma once

#define MAYFLY_API __attribute__((visibility("default")))
