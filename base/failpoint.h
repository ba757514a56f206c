// base/failpoint.h
//
// Places where a test can have the process die, as kill -9 or a power cut would end it. Without
// TIDEMARK_FAILPOINT in the environment each costs one test of a bool.
//
//   TIDEMARK_FAILPOINT=journal.append.written:3     at the third time

#pragma once

namespace tidemark {

namespace detail {
extern const bool failpoints_armed;
void pass_failpoint(const char* name);
}  // namespace detail

/// Does not return when the environment names this place and this is the time. Threads: any.
inline void failpoint(const char* name) {
  if (detail::failpoints_armed) detail::pass_failpoint(name);
}

}  // namespace tidemark
