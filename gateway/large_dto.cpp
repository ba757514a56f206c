#include "gateway/large_dto.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <type_traits>

#include "gateway/dto.h"

namespace tidemark::gateway {
namespace {

using namespace model;

// Guesses, so that a piece is allocated once, and a small answer small.
constexpr std::size_t kPieceSlack = 2048;  // one entry over the mark
constexpr std::size_t kPvBytesGuess = 800;
constexpr std::size_t kLiveBytesGuess = 256;

void reserve_piece(JsonWriter& json, std::size_t entries, std::size_t entry_bytes) {
  json.reserve(std::min(kPieceBytes + kPieceSlack, json.size() + 64 + entries * entry_bytes));
}

template <class T>
void write_scalar(JsonWriter& json, const T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    json.text(value);
  } else if constexpr (std::is_same_v<T, EnumIndex>) {
    json.number(value.index);
  } else {
    json.number(value);
  }
}

template <class T>
void write_special(JsonWriter& json, const T& value) {
  if constexpr (std::is_floating_point_v<T>) {
    if (!std::isfinite(value)) json.key("special").text(special_name(value));
  }
}
template <class T>
void write_special(JsonWriter& json, const std::vector<T>& elements) {
  if constexpr (std::is_floating_point_v<T>) {
    bool open = false;
    for (std::size_t i = 0; i < elements.size(); ++i) {
      if (std::isfinite(elements[i])) continue;
      if (!open) json.key("special").begin_object();
      open = true;
      json.key(std::to_string(i)).text(special_name(elements[i]));
    }
    if (open) json.end_object();
  }
}

/// "value", and "special" where one is needed, as members of the open object.
void write_value(JsonWriter& json, const PvValue& value) {
  json.key("value");
  std::visit(
      [&](const auto& each) {
        using T = std::decay_t<decltype(each)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          json.null();
        } else if constexpr (std::is_same_v<T, SharedArray>) {
          std::visit(
              [&](const auto& elements) {
                json.begin_array();
                for (const auto& element : elements) write_scalar(json, element);
                json.end_array();
                write_special(json, elements);
              },
              *each);
        } else {
          write_scalar(json, each);
          write_special(json, each);
        }
      },
      value);
}

void write_epics_value(JsonWriter& json, const CapturedValue& value) {
  json.begin_object();
  write_value(json, value.value);
  json.key("status").number(value.alarm.status);
  json.key("severity").number(static_cast<int>(value.alarm.severity));
  json.key("timestamp").iso_or_null(value.taken_at);
  json.key("units").text_or_null(value.units);
  json.key("precision").number(value.precision);
  json.key("upper_ctrl_limit");
  value.control_limits ? json.number(value.control_limits->high) : json.null();
  json.key("lower_ctrl_limit");
  value.control_limits ? json.number(value.control_limits->low) : json.null();
  json.end_object();
}

/// Null where the PV has no such address, or no value of it could be had.
const CapturedValue* value_at(const Snapshot& snapshot, std::uint32_t index) {
  if (index >= snapshot.values.size() || !snapshot.values[index].has_value()) return nullptr;
  return &snapshot.values[index];
}

void write_name(JsonWriter& json, const Snapshot& snapshot, std::uint32_t index) {
  index < snapshot.values.size() ? json.text_or_null(snapshot.values[index].address) : json.null();
}

void write_pv_value(JsonWriter& json, const Snapshot& snapshot, const CapturedPv& pv,
                    const TagIndex& tags) {
  const auto* setpoint = value_at(snapshot, pv.setpoint);
  const auto* readback = value_at(snapshot, pv.readback);
  const auto* shown = setpoint ? setpoint : readback;  // whose alarm and time stand for the PV's
  json.begin_object();
  json.key("pvId").uuid(pv.pv);
  json.key("pvName").text(pv.name);
  json.key("setpointName");
  write_name(json, snapshot, pv.setpoint);
  json.key("readbackName");
  write_name(json, snapshot, pv.readback);
  json.key("setpointValue");
  setpoint ? write_epics_value(json, *setpoint) : json.null();
  json.key("readbackValue");
  readback ? write_epics_value(json, *readback) : json.null();
  json.key("status");
  shown ? json.number(shown->alarm.status) : json.null();
  json.key("severity");
  shown ? json.number(static_cast<int>(shown->alarm.severity)) : json.null();
  json.key("timestamp");
  shown ? json.iso_or_null(shown->taken_at) : json.null();
  json.key("tags").begin_array();
  for (const auto& id : pv.tags) {
    const auto* entry = tags.find(id);
    if (!entry) continue;
    json.begin_object();
    json.key("id").uuid(id);
    json.key("name").text(entry->tag->name);
    json.key("groupName").text(entry->group->name);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

void write_live_entry(JsonWriter& json, const api::LiveValue& value, bool monitor_alive) {
  const bool has_value = value.value.index() != 0;
  const bool connected = value.state == LiveState::kConnected && monitor_alive;
  json.key_text(value.address).begin_object();
  write_value(json, value.value);
  json.key("connected").boolean(connected);
  json.key("updated_at");
  value.received_at == UtcTime{} ? json.null() : json.seconds(value.received_at);
  json.key("status");
  has_value ? json.text(status_text(value.alarm.status)) : json.null();
  json.key("severity");
  has_value ? json.number(static_cast<int>(value.alarm.severity)) : json.null();
  json.key("timestamp");
  value.taken_at == UtcTime{} ? json.null() : json.seconds(value.taken_at);
  json.key("units").text_or_null(value.units);
  json.key("error");
  if (connected) {
    json.null();
  } else if (value.state == LiveState::kConnected) {
    json.text("the monitor is away: the last known value");
  } else {
    json.text(to_string(value.state));
  }
  json.end_object();
}

/// The snapshot's object, kept open between two of its PVs.
struct SnapshotPieces {
  SnapshotPieces(Snapshot from, std::vector<TagGroup> named, Frame around)
      : snapshot(std::move(from)), groups(std::move(named)), tags(groups), frame(around) {
    frame.begin(json);
    begin_summary(json, snapshot.header, frame.envelope);
    json.key("pvValues").begin_array();
  }
  SnapshotPieces(const SnapshotPieces&) = delete;

  Piece next() {
    reserve_piece(json, snapshot.pvs.size() - next_pv, kPvBytesGuess);
    while (next_pv < snapshot.pvs.size() && json.size() < kPieceBytes) {
      write_pv_value(json, snapshot, snapshot.pvs[next_pv++], tags);
    }
    if (next_pv < snapshot.pvs.size()) return {json.take(), false};
    json.end_array();
    json.end_object();
    frame.end(json);
    return {json.take(), true};
  }

  const Snapshot snapshot;
  const std::vector<TagGroup> groups;
  const TagIndex tags;
  const Frame frame;
  JsonWriter json;
  std::size_t next_pv = 0;
};

/// The same for live values.
struct LivePieces {
  LivePieces(api::LiveReply from, bool with_count, Frame around)
      : reply(std::move(from)), counted(with_count), frame(around) {
    frame.begin(json);
    json.begin_object();
    if (counted) json.key("values").begin_object();
  }
  LivePieces(const LivePieces&) = delete;

  Piece next() {
    reserve_piece(json, reply.values.size() - next_value, kLiveBytesGuess);
    while (next_value < reply.values.size() && json.size() < kPieceBytes) {
      write_live_entry(json, reply.values[next_value++], reply.live);
    }
    if (next_value < reply.values.size()) return {json.take(), false};
    json.end_object();
    if (counted) {
      json.key("count").number(reply.values.size());
      json.end_object();
    }
    frame.end(json);
    return {json.take(), true};
  }

  const api::LiveReply reply;
  const bool counted;
  const Frame frame;
  JsonWriter json;
  std::size_t next_value = 0;
};

}  // namespace

Pieces snapshot_pieces(Snapshot snapshot, std::vector<TagGroup> groups, Frame frame) {
  auto body = std::make_shared<SnapshotPieces>(std::move(snapshot), std::move(groups), frame);
  return [body] { return body->next(); };
}

Pieces live_pieces(api::LiveReply reply, bool counted, Frame frame) {
  auto body = std::make_shared<LivePieces>(std::move(reply), counted, frame);
  return [body] { return body->next(); };
}

}  // namespace tidemark::gateway
