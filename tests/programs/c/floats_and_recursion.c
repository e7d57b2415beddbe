// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Formatting of floats, a deep recursion, and a large allocation.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Not a loop, whatever the optimizer does: the result depends on each frame's own array.
static unsigned descend(unsigned depth, const unsigned char *above) {
  volatile unsigned char here[64];
  for (unsigned i = 0; i < sizeof here; ++i) here[i] = (unsigned char)(above[i] + depth);
  if (depth == 0) return here[7];
  unsigned char copy[64];
  for (unsigned i = 0; i < sizeof copy; ++i) copy[i] = here[i];
  return descend(depth - 1, copy) + here[depth % 64];
}

int main(void) {
  printf("%.17g %e %a %g %.3f\n", 0.1, 12345.678, 1.5, 1e300 * 1e10, -0.0005);
  double back = 0;
  sscanf("2.2250738585072014e-308", "%lf", &back);
  printf("%.17g %d\n", back, strtod("0x1.8p1", NULL) == 3.0);
  unsigned char zero[64] = {0};
  printf("%u\n", descend(3000, zero));
  size_t bytes = (size_t)1900 << 20;
  unsigned char *large = malloc(bytes);
  if (large == NULL) return 1;
  large[0] = 1;
  large[bytes / 2] = 2;
  large[bytes - 1] = 3;
  printf("%d\n", large[0] + large[bytes / 2] + large[bytes - 1]);
  return 0;
}
