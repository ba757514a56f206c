// base/check.h
//
// TIDEMARK_CHECK(condition): a programmer error, on in every build. Wrong code that
// stops is a restart; wrong code that continues writes to a magnet.

#pragma once

#include <cstdio>
#include <cstdlib>

#define TIDEMARK_CHECK(condition)                                                        \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
