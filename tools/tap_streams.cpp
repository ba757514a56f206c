#include "tools/tap_streams.h"

#include <algorithm>

#include "base/glob.h"
#include "model/api/keeper.h"
#include "model/api/replay.h"
#include "model/api/subsystem.h"
#include "model/job.h"
#include "model/pv_update.h"
#include "tools/documents.h"
#include "tools/key_show.h"
#include "tools/nearest.h"
#include "tools/replays.h"
#include "tools/show.h"

namespace tidemark::tools {
namespace {

namespace api = model::api;
using Items = std::vector<TapItem>;

constexpr std::size_t kValuesShown = 4;  // of a batch of PV updates

template <class T>
Result<T> unpacked(const bus::Frame& frame) {
  auto content = model::unpack<T>(frame.payload);
  if (!content) return Error{Code::kCorruption, content.error().message};
  return content;
}

std::string update_text(const model::PvUpdate& update) {
  switch (update.event) {
    case model::PvUpdate::Event::kConnected: return "connected";
    case model::PvUpdate::Event::kDisconnected: return "disconnected";
    case model::PvUpdate::Event::kValue: break;
  }
  return value_text(update.value);
}

Result<Items> live_items(const bus::Frame& frame, const TapNames& known,
                         const std::vector<std::string>& wanted) {
  const auto updates = model::decode_updates(frame.payload);
  if (!updates) return updates.error();
  TapItem item;
  auto values = Json::array();
  std::string text;
  std::size_t fitting = 0;
  for (const auto& update : updates.value()) {
    const auto found = known.channels.find(update.channel);
    const auto name = found != known.channels.end()
                          ? found->second
                          : "channel " + std::to_string(static_cast<std::uint32_t>(update.channel));
    if (!tap_wants(wanted, {name})) continue;
    item.names.push_back(name);
    if (++fitting > kValuesShown) continue;
    text += (text.empty() ? "  " : ", ") + name + "=" + update_text(update);
    Json value = {{"address", name}};
    if (update.event == model::PvUpdate::Event::kValue) {
      add_value(value, update.value);
    } else {
      value["state"] = update_text(update);
    }
    values.push_back(std::move(value));
  }
  if (fitting == 0) return Items{};
  item.text = std::to_string(fitting) + (fitting == 1 ? " update" : " updates") + text +
              (fitting > kValuesShown ? ", …" : "");
  item.json = {{"updates", fitting}, {"values", std::move(values)}};
  return Items{std::move(item)};
}

Result<Items> replay_items(const bus::Frame& frame, const TapNames& known,
                           const std::vector<std::string>& wanted) {
  if (!frame.payload.empty()) return live_items(frame, known, wanted);
  return Items{{{}, "jumps: all is another", {{"jump", true}}}};
}

Result<Items> replay_news_items(const bus::Frame& frame) {
  const auto news = unpacked<api::ReplayNews>(frame);
  if (!news) return news.error();
  const auto& [status, lines] = news.value();
  Items items = {{{status.id.text()}, replay_text(status), replay_json(status)}};
  for (const auto& line : lines) {
    items.push_back(
        {{line.subject},
         std::string(model::to_string(line.kind)) + "  " + line.subject + "  " + line.text,
         line_json(line)});
  }
  return items;
}

Result<Items> directory_items(const bus::Frame& frame) {
  const auto nodes = unpacked<std::vector<bus::NodeInfo>>(frame);
  if (!nodes) return nodes.error();
  Items items;
  for (const auto& node : nodes.value()) {
    items.push_back({{node.name},
                     node.name + " is " + std::string(bus::to_string(node.state)) +
                         "  incarnation " + std::to_string(node.incarnation) + ", pid " +
                         std::to_string(node.pid) + " on " + node.host,
                     node_json(node)});
  }
  return items;
}

Result<Items> catalog_items(const bus::Frame& frame) {
  const auto change = unpacked<api::CatalogChange>(frame);
  if (!change) return change.error();
  const auto revision = change.value().revision;
  return Items{{{}, "revision " + std::to_string(revision), {{"revision", revision}}}};
}

Result<Items> job_items(const bus::Frame& frame) {
  const auto job = unpacked<model::Job>(frame);
  if (!job) return job.error();
  const auto& now = job.value();
  return Items{
      {{now.type, now.id.text()},
       short_id(now.id) + " " + now.type + " is " + std::string(model::to_string(now.state)),
       job_json(now)}};
}

Result<Items> key_items(const std::string& node, const bus::Frame& frame, const TapNames& known) {
  const auto updates = unpacked<api::KeyUpdates>(frame);
  if (!updates) return updates.error();
  // Positions may differ in another life.
  const Offer* owner = nullptr;
  for (const auto& offer : known.offers) {
    const bool same = offer.node.name == node && offer.node.incarnation == frame.header.incarnation;
    if (same) owner = &offer;
  }
  Items items;
  for (const auto& update : updates.value()) {
    const bool is_known = owner != nullptr && update.key < owner->surface.keys.size();
    const auto name =
        node + "/" +
        (is_known ? owner->surface.keys[update.key].name : "#" + std::to_string(update.key));
    const auto unit = is_known ? owner->surface.keys[update.key].unit : "";
    auto text = name + " = " + key_value_text(update.value);
    if (!unit.empty()) text += " " + unit;
    if (update.quality != api::Quality::kGood)
      text += "  " + std::string(to_string(update.quality));
    if (!update.writer.empty()) text += "  by " + update.writer;
    Json json = {{"key", name}};
    json.update(update_json(update));
    items.push_back({{name}, std::move(text), std::move(json)});
  }
  return items;
}

Result<Items> status_items(const std::string& node, const bus::Frame& frame) {
  const auto changes = unpacked<api::StatusItems>(frame);
  if (!changes) return changes.error();
  Items items;
  for (const auto& item : changes.value()) {
    const auto name = node + "/" + item.name;
    auto text = name + " is " + (item.shown() ? std::string(to_string(item.severity)) : "cleared");
    if (!item.text.empty()) text += "  " + item.text;
    if (item.acknowledged()) text += "  acknowledged by " + item.acknowledged_by;
    items.push_back({{name}, std::move(text), item_json(item)});
  }
  return items;
}

}  // namespace

const std::vector<TapStream>& tap_streams() {
  using enum bus::FrameClass;
  static const std::vector<TapStream> kStreams = {
      {"live", kState, bus::kLiveStream},
      {"directory", kDirectory, bus::kDirectoryStream},
      {"catalog", kEvent, bus::kCatalogStream},
      {"jobs", kEvent, bus::kJobStream},
      {"keys", kState, api::kKeyStream},
      {"status", kState, api::kStatusStream},
      {"replay", kReplayState, bus::kReplayStreams},
      {"replay-news", kReplayNews, bus::kReplayStreams + 1}};
  return kStreams;
}

Result<const TapStream*> parse_tap_stream(const std::string& text) {
  std::vector<std::string> names;
  std::string all;
  for (const auto& stream : tap_streams()) {
    if (text == stream.name || text == std::to_string(stream.number)) return &stream;
    names.emplace_back(stream.name);
    all += (all.empty() ? "" : ", ") + std::string(stream.name);
  }
  const auto hint = did_you_mean(text, names);
  return Error{Code::kInvalidArgument, "'" + printable(text) + "' is no stream" +
                                           (hint.empty() ? ": there are " + all : hint)};
}

Result<Items> tap_items(const TapStream& stream, const std::string& node, const bus::Frame& frame,
                        const TapNames& names, const std::vector<std::string>& wanted) {
  auto items = [&]() -> Result<Items> {
    if (stream.frame_class == bus::FrameClass::kReplayState) {
      return replay_items(frame, names, wanted);
    }
    if (stream.frame_class == bus::FrameClass::kReplayNews) return replay_news_items(frame);
    switch (stream.number) {
      case bus::kLiveStream: return live_items(frame, names, wanted);
      case bus::kDirectoryStream: return directory_items(frame);
      case bus::kCatalogStream: return catalog_items(frame);
      case bus::kJobStream: return job_items(frame);
      case api::kKeyStream: return key_items(node, frame, names);
      default: return status_items(node, frame);
    }
  }();
  if (items) {
    std::erase_if(items.value(), [&](const auto& each) { return !tap_wants(wanted, each.names); });
  }
  return items;
}

bool tap_wants(const std::vector<std::string>& globs, const std::vector<std::string>& names) {
  if (globs.empty()) return true;
  return std::any_of(globs.begin(), globs.end(), [&](const auto& glob) {
    return std::any_of(names.begin(), names.end(),
                       [&](const auto& name) { return glob_match(glob, name); });
  });
}

}  // namespace tidemark::tools
