// model/api/monitor.h
//
// What the monitor answers. Its live stream (bus::kLiveStream) carries PV batches
// (encode_updates); a late joiner asks for the state first.
//
//   monitor.state   Empty → progress: StatePart…, done: StateEnd
//   monitor.read    ReadChannels → ChannelValues         from the IOCs, now
//   monitor.put     PutChannels → progress: PutResults…, done: Empty
//   monitor.rates, monitor.forecast: model/api/policy.h

#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "base/time.h"
#include "model/packing.h"
#include "model/pv.h"

namespace tidemark::model::api {

struct StatePart {
  Blob updates;  // encode_updates
  static auto fields(auto& s) { return std::tie(s.updates); }
};

/// The parts before are the state after `sequence` items of the live stream of `incarnation`.
struct StateEnd {
  std::uint32_t incarnation = 0;
  std::uint64_t sequence = 0;
  std::uint32_t parts = 0;
  static auto fields(auto& s) { return std::tie(s.incarnation, s.sequence, s.parts); }
};

struct ReadChannels {
  std::vector<ChannelId> channels;
  Duration timeout = std::chrono::seconds(2);
  static auto fields(auto& s) { return std::tie(s.channels, s.timeout); }
};

/// In the order asked. `errors[i]` is empty where `updates` (encode_updates) has a value.
struct ChannelValues {
  Blob updates;
  std::vector<std::string> errors;
  static auto fields(auto& s) { return std::tie(s.updates, s.errors); }
};

struct PutChannel {
  ChannelId channel{};
  PvValue value;
  static auto fields(auto& s) { return std::tie(s.channel, s.value); }
};

struct PutChannels {
  std::vector<PutChannel> puts;
  Duration timeout = std::chrono::seconds(5);  // of each put, from when it is sent
  static auto fields(auto& s) { return std::tie(s.puts, s.timeout); }
};

struct PutResult {
  ChannelId channel{};
  std::uint8_t state = 2;  // epics::PutState
  std::string reason;
  static auto fields(auto& s) { return std::tie(s.channel, s.state, s.reason); }
};

struct PutResults {
  std::vector<PutResult> results;
  static auto fields(auto& s) { return std::tie(s.results); }
};

}  // namespace tidemark::model::api
