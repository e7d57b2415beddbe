// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The first program to run in Mayfly: plain C and WASI, nothing of Mayfly in it.
// It greets who is named on its command line, and tells the time that its sandbox sees.
#include <stdio.h>
#include <time.h>

int main(int argc, char** argv) {
  const char* name = argc > 1 ? argv[1] : "world";
  printf("Hello, %s, from a virtual machine of your own.\n", name);

  const time_t now = time(NULL);
  char text[32];
  strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", gmtime(&now));
  printf("In here it is %s UTC.\n", text);
  return 0;
}
