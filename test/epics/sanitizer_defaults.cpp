// What sanitizers report of libca and libCom themselves: the names of channels that are alive when
// a context is destroyed are never freed (clearing each first takes an IOC seconds), and contexts
// lock their mutexes in one order when they are made and in another when they are destroyed.

extern "C" {

const char* __lsan_default_suppressions();  // NOLINT: the sanitizers' own names
const char* __tsan_default_suppressions();  // NOLINT

const char* __lsan_default_suppressions() { return "leak:nciu::nciu\n"; }
const char* __tsan_default_suppressions() { return "deadlock:epicsMutexLock\n"; }
}
