#include "grader/lab/points.h"

#include "grader/base/memory.h"
#include "grader/base/scope.h"

void points_divide(unsigned total, const unsigned *weights, size_t count, unsigned *shares) {
  unsigned long long sum = 0;
  for (size_t i = 0; i < count; i++)
    sum += weights[i];
  if (sum == 0) {
    for (size_t i = 0; i < count; i++)
      shares[i] = 0;
    return;
  }

  scoped_text unsigned long long *remainders = memory_zeroed(count, sizeof *remainders);
  unsigned left = total;
  for (size_t i = 0; i < count; i++) {
    unsigned long long exact = (unsigned long long)total * weights[i];
    shares[i] = (unsigned)(exact / sum);
    remainders[i] = exact % sum;
    left -= shares[i];
  }
  /* Fewer than `count` points are left, and at least as many remainders are not 0. */
  for (; left > 0; left--) {
    size_t largest = 0;
    for (size_t i = 1; i < count; i++)
      if (remainders[i] > remainders[largest])
        largest = i;
    shares[largest]++;
    remainders[largest] = 0;
  }
}
