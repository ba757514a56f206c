// model/snapshot.h
//
// A named moment, with its values kept for good.

#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "model/catalog_entries.h"
#include "model/live_table.h"

namespace tidemark::model {

/// One channel as it was. `state` says what the value is worth; a value that could not be had is
/// there with the reason.
struct CapturedValue {
  ChannelId channel{};
  std::string address;
  LiveState state = LiveState::kNeverConnected;
  PvValue value;
  Alarm alarm;
  UtcTime taken_at{};
  std::string units;
  std::int16_t precision = 0;
  std::optional<Range> control_limits;
  std::vector<std::string> labels;

  static auto fields(auto& s) {
    return std::tie(s.channel, s.address, s.state, s.value, s.alarm, s.taken_at, s.units,
                    s.precision, s.control_limits, s.labels);
  }
  bool has_value() const { return value.index() != 0; }
  bool operator==(const CapturedValue&) const = default;
};

inline constexpr std::uint32_t kNoValue = 0xffffffff;

/// A PV as it was defined then. Deleting or editing it later changes nothing here.
struct CapturedPv {
  Uuid pv;
  std::string name;
  std::string device;
  std::uint32_t setpoint = kNoValue;  // indices into Snapshot::values
  std::uint32_t readback = kNoValue;
  std::uint32_t config = kNoValue;
  double abs_tolerance = 0;
  double rel_tolerance = 0;
  bool read_only = false;
  std::vector<Uuid> tags;

  static auto fields(auto& s) {
    return std::tie(s.pv, s.name, s.device, s.setpoint, s.readback, s.config, s.abs_tolerance,
                    s.rel_tolerance, s.read_only, s.tags);
  }
  bool operator==(const CapturedPv&) const = default;
};

struct SnapshotHeader {
  Uuid id;
  std::string title;
  std::string description;
  std::string author;  // user@host
  UtcTime created_at{};
  std::uint64_t line = 0;  // the moment: its line in the journal
  std::string source;      // "live"
  std::uint32_t pvs = 0;
  std::uint32_t values = 0;        // channels with a value
  std::uint32_t missing = 0;       // channels without
  std::uint32_t disconnected = 0;  // of `values`, those whose IOC was away: last known value
  bool monitor_alive = true;
  Uuid job;  // that took it

  static auto fields(auto& s) {
    return std::tie(s.id, s.title, s.description, s.author, s.created_at, s.line, s.source, s.pvs,
                    s.values, s.missing, s.disconnected, s.monitor_alive, s.job);
  }
  bool operator==(const SnapshotHeader&) const = default;
};

struct Snapshot {
  SnapshotHeader header;
  std::vector<CapturedPv> pvs;
  std::vector<CapturedValue> values;

  static auto fields(auto& s) { return std::tie(s.header, s.pvs, s.values); }
  bool operator==(const Snapshot&) const = default;
};

}  // namespace tidemark::model
