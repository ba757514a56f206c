// model/api/subsystem.h
//
// What every subsystem offers and answers: keys, events, status items.
//
//   kv.read       KeyRead → KeyUpdate         kRefused   not readable, or its owner says why not
//   kv.write      KeyWrite → KeyUpdate        the value as accepted
//                                             kInvalidArgument  not a value of that key; says why
//                                             kRefused          the owner's reason
//   kv.state      Empty → KeyUpdates as progress, in parts; then StateEnd
//   event.call    EventCall → EventFeedback as progress; then EventResult
//                                             kRefused   the handler's reason: a veto, too
//                                             kFailed    the handler threw
//   status.state  Empty → StatusItems as one progress; then StateEnd
//   status.ack    StatusAck → Empty
//
//   kKeyStream     class S, frames of KeyUpdates: an item is one update
//   kStatusStream  class S, frames of StatusItems: an item is one change
//
// A key is meant by its name in questions, and by its position in Surface::keys in updates. Keys
// are only ever appended to a surface of one incarnation.

#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/uuid.h"
#include "model/kv/key_spec.h"
#include "model/kv/value.h"
#include "model/status_item.h"

namespace tidemark::model::api {

// Streams of a subsystem (bus/frame.h has those of the nodes).
inline constexpr std::uint16_t kKeyStream = 16;
inline constexpr std::uint16_t kStatusStream = 17;

struct EventSpec {
  std::string name;
  std::string description;
  kv::Type argument;  // kAny when the handler takes anything, or nothing
  static auto fields(auto& s) { return std::tie(s.name, s.description, s.argument); }
  bool operator==(const EventSpec&) const = default;
};

/// What the directory says of a subsystem, beside where it is.
struct Surface {
  std::string description;
  std::vector<kv::KeySpec> keys;
  std::vector<EventSpec> events;
  static auto fields(auto& s) { return std::tie(s.description, s.keys, s.events); }
  bool operator==(const Surface&) const = default;
};
/// A surface from outside. Errors: kInvalidArgument: not one, a name that is none or is there
/// twice, or what kv::check_spec() says.
Result<Surface> read_surface(BytesView packed);

/// Stored and sent: never renumber.
enum class Quality : std::uint8_t {
  kGood = 0,
  kStale = 1,         // its owner says that it may be old
  kDisconnected = 2,  // its owner is gone: the last value that it had. Never sent.
};
std::string_view to_string(Quality quality);  // "good", "stale", "disconnected"

struct KeyUpdate {
  std::uint32_t key = 0;       // position in Surface::keys
  std::uint64_t sequence = 0;  // of this key, from 1; 0: it never had a value
  UtcTime time{};              // when the owner took the value
  Quality quality = Quality::kGood;
  std::string writer;  // who wrote it, "name" or "user@host"; empty: the owner itself
  kv::Value value;
  static auto fields(auto& s) {
    return std::tie(s.key, s.sequence, s.time, s.quality, s.writer, s.value);
  }
  bool operator==(const KeyUpdate&) const = default;
};
using KeyUpdates = std::vector<KeyUpdate>;

struct KeyRead {
  std::string key;
  static auto fields(auto& s) { return std::tie(s.key); }
};

struct KeyWrite {
  std::string key;
  kv::Value value;
  std::string writer;
  static auto fields(auto& s) { return std::tie(s.key, s.value, s.writer); }
};

struct EventCall {
  Uuid id;  // of the call to all targets
  std::string event;
  kv::Value argument;
  std::string caller;
  static auto fields(auto& s) { return std::tie(s.id, s.event, s.argument, s.caller); }
};

struct EventFeedback {
  std::string text;
  kv::Value value;  // progress in numbers, or none
  static auto fields(auto& s) { return std::tie(s.text, s.value); }
};

struct EventResult {
  kv::Value value;
  static auto fields(auto& s) { return std::tie(s.value); }
};

using StatusItems = std::vector<StatusItem>;

struct StatusAck {
  std::string item;
  std::string who;
  static auto fields(auto& s) { return std::tie(s.item, s.who); }
};

}  // namespace tidemark::model::api
