// The one macro: a programmer's error ends the process, in release builds too.
#pragma once

#include <cstdio>
#include <cstdlib>

#define RFM_ASSERT(condition)                                                                \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      std::fprintf(stderr, "%s:%d: assertion failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)
