// test/fuzz/fuzz_directory.cpp
//
// What registries, and whoever registers, send, and what asks for lost frames: any bytes must be
// refused as corrupt, or come back the same.

#include <cstdint>
#include <vector>

#include "base/check.h"
#include "bus/directory_copy.h"
#include "bus/registry_table.h"
#include "bus/resend.h"

namespace {

using namespace tidemark;

template <class T>
Result<T> check(BytesView bytes) {
  auto read = model::unpack<T>(bytes);
  if (!read) {
    TIDEMARK_CHECK(read.error().code == Code::kCorruption);
    return read;
  }
  const auto packed = model::pack(read.value());
  const auto again = model::unpack<T>(packed);
  TIDEMARK_CHECK(again.ok());
  TIDEMARK_CHECK(model::pack(again.value()) == packed);
  return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes(reinterpret_cast<const char*>(data), size);
  const SteadyTime now{std::chrono::hours(1)};
  (void)check<bus::Lease>(bytes);
  (void)check<bus::Nothing>(bytes);

  bus::DirectoryCopy copy;
  if (const auto whole = check<bus::Directory>(bytes)) {
    (void)copy.take_whole(whole.value(), now);
    (void)copy.tick(now + std::chrono::hours(1), UtcTime{});
  }
  if (const auto changes = check<std::vector<bus::NodeInfo>>(bytes)) {
    (void)copy.take_changes(changes.value());
  }
  bus::RegistryTable table(1, now);
  if (const auto node = check<bus::NodeInfo>(bytes)) {
    (void)table.add(node.value(), now, UtcTime{});
    (void)table.tick(now + std::chrono::seconds(1), UtcTime{});
  }
  if (const auto renewal = check<bus::Renewal>(bytes)) {
    (void)table.renew(renewal.value(), now, UtcTime{});
    (void)table.goodbye(renewal.value(), UtcTime{});
  }

  if (const auto forget = check<bus::Forget>(bytes)) {
    (void)table.tick(now + bus::kLease, UtcTime{});
    (void)table.forget(forget.value(), now + bus::kLease);
  }
  if (const auto resend = bus::unpack_resend(bytes)) {
    const auto packed = bus::pack_resend(resend.value());
    TIDEMARK_CHECK(bus::pack_resend(bus::unpack_resend(packed).value()) == packed);
  }
  return 0;
}
