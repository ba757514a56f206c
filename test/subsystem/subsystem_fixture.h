// test/subsystem/subsystem_fixture.h
//
// Subsystems and clients of the public library over a bus in memory, with a registry and a journal.

#pragma once

#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "registry_on_memory.h"
#include "subsystem/session.h"
#include "tidemark/subsystem.h"

namespace tidemark::test {

inline constexpr auto kPatience = std::chrono::seconds(5);

/// Polls, since what is waited for happens on other threads.
template <class Condition>
bool eventually(Condition condition, Duration patience = kPatience) {
  const auto deadline = steady_now() + patience;
  while (!condition()) {
    if (steady_now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

class SubsystemTest : public ::testing::Test {
 protected:
  void join(Client& member, bus::Incarnation incarnation = 1, bool registers = true) {
    auto self = member_called(member.name(), incarnation);
    if (!registers) self.uuid = Uuid::random();
    self.surface.bytes = member.session()->surface();
    const auto started =
        member.session()->start(site_.link(self), site_.registries(), site_.journal());
    ASSERT_TRUE(started.ok());
    const auto joined = member.session()->joined(kPatience);
    ASSERT_TRUE(joined.ok()) << joined.error().message;
  }
  void join_client(Client& client) { join(client, 1, false); }
  /// `client` sees `name` in its directory.
  bool sees(const Client& client, const std::string& name, const std::string& state = "alive") {
    return eventually([&] {
      for (const auto& peer : client.peers()) {
        if (peer.name == name && peer.state == state) return true;
      }
      return false;
    });
  }

  MemorySite site_;
};

/// What a listener got, in order.
struct Heard {
  std::mutex mutex;
  std::vector<Update<Value>> updates;

  void operator()(const Update<Value>& update) {
    const std::lock_guard lock(mutex);
    updates.push_back(update);
  }
  std::size_t count() {
    const std::lock_guard lock(mutex);
    return updates.size();
  }
  Update<Value> last() {
    const std::lock_guard lock(mutex);
    return updates.empty() ? Update<Value>{} : updates.back();
  }
};

}  // namespace tidemark::test
