// test/actors/steady_clock.cpp
//
// Leases, silences and lives are measured with steady_now(). In this program it is
// test::steady_time, which ActorTest::pass() moves: the linker (--wrap) sends each call of
// std::chrono::steady_clock::now() in our own objects here. Shared libraries keep the real clock.

#include "test/support/actor_test.h"

namespace tidemark::test {

SteadyTime wrapped_now() noexcept __asm__("__wrap__ZNSt6chrono3_V212steady_clock3nowEv");

SteadyTime wrapped_now() noexcept { return steady_time; }

}  // namespace tidemark::test
