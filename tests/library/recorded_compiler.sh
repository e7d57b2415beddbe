#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Stands for mayfly-compiler on machines where compiling takes too long, or that LLVM does not fit:
# answers a request (src/image/build_descriptors.h) as it was answered before. A request that is new
# goes to the program `real` next to this script, and is recorded; without one that is an error.
here=${0%/*}
key=$(sha256sum </proc/self/fd/3)
record=$here/${key%% *}

if [ -f "$record.status" ]; then
  cat "$record.image" >&4
  cat "$record.reply" >&5
  exit "$(cat "$record.status")"
fi
if [ ! -x "$here/real" ]; then
  echo "nobody recorded what the compiler answers to this request" >&2
  exit 1
fi
"$here/real" "$@"
status=$?
cat </proc/self/fd/4 >"$record.image"
cat </proc/self/fd/5 >"$record.reply"
echo "$status" >"$record.status"
exit "$status"
