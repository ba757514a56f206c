// epics/client.h
//
// What the monitor needs from a control system: follow channels, read them, write them.
// Nothing in here is Channel Access: another protocol is another Client.
//
//   Client (this file)    the contract
//   FakeIoc (test/)       the contract on values that a test sets
//   CaClient (epics_ca)   the contract on libca
//
// Updates go through an UpdateQueue that the Client owns: libca's threads push, the monitor
// drains. Every method may be called from any thread and none waits for the network.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/pv_update.h"

namespace tidemark::epics {

struct ChannelSpec {
  model::ChannelId id{};
  std::string address;  // as check_pv_name() accepts it; "NAME.VAL$" is read as a long string
};

/// What became of a put. Sent on the bus: never renumber.
enum class PutState : std::uint8_t {
  kConfirmed = 0,  // the IOC said that it is done
  kRefused = 1,    // surely not written: not connected, no write access, wrong type, IOC said no
  kUnknown = 2,    // sent, and no answer within the deadline or before the connection went
};

struct Put {
  model::ChannelId channel{};
  model::PvValue value;
};

struct PutOutcome {
  model::ChannelId channel{};
  PutState state = PutState::kUnknown;
  std::string reason;  // empty when confirmed
};

/// A fresh value (Event::kValue), or why there is none.
struct ReadOutcome {
  model::PvUpdate update;
  std::string error;  // empty when `update` holds a value
};

struct ClientStatus {
  std::uint32_t channels = 0;
  std::uint32_t connected = 0;
  std::uint32_t never_connected = 0;
  std::uint64_t updates = 0;  // received from IOCs
  std::uint64_t hidden = 0;   // replaced in the full queue by newer ones
  std::uint32_t puts_in_flight = 0;
};

class Client {
 public:
  virtual ~Client() = default;

  /// Connects and subscribes. Each connection gives a kConnected update (with meta), then
  /// values; each loss a kDisconnected. A channel of an id already there is replaced.
  virtual void add(std::vector<ChannelSpec> channels) = 0;

  /// No update of these channels follows the next drain(). Unknown ids are ignored.
  virtual void remove(std::vector<model::ChannelId> channels) = 0;

  /// Takes what waits, in order per channel.
  virtual std::vector<model::PvUpdate> drain() = 0;

  /// Reads from the IOCs. `on_done` comes once, on any thread, with one outcome per channel in
  /// the order asked, at the latest at `timeout`.
  virtual void read(std::vector<model::ChannelId> channels, Duration timeout,
                    std::function<void(std::vector<ReadOutcome>)> on_done) = 0;

  /// Writes with completion: at most `ClientLimits::puts_per_ioc` in flight per IOC, in order
  /// per channel. `on_outcomes` gets each outcome once, in groups, on any thread; after
  /// puts.size() outcomes it is not called again. `timeout` runs for each put from the moment
  /// it is sent. A put that is waiting when its connection goes is kRefused, one that was
  /// sent is kUnknown. Nothing is ever sent twice.
  virtual void put(std::vector<Put> puts, Duration timeout,
                   std::function<void(std::vector<PutOutcome>)> on_outcomes) = 0;

  virtual ClientStatus status() const = 0;
};

struct ClientLimits {
  std::size_t queue_updates_max = 1u << 20;  // beyond: the newest per channel stays, counted
  /// 50 000 puts at once overflow an IOC's callback ring and completions are lost for good; some
  /// hundred in flight are as fast as any.
  std::uint32_t puts_per_ioc = 256;
};

}  // namespace tidemark::epics
