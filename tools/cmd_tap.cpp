// tools/cmd_tap.cpp
//
// bus tap: what flows. Subscribes to the data streams of the nodes and shows each frame that
// arrives, or how many there are. It asks for no state and repairs nothing: what it shows is what
// was on the wire, and what is missing it says.

#include <algorithm>
#include <cstdio>
#include <deque>
#include <map>
#include <ostream>
#include <set>
#include <tuple>

#include "base/glob.h"
#include "base/mailbox.h"
#include "model/api/keeper.h"
#include "model/api/node.h"
#include "model/api/replay.h"
#include "tools/commands.h"
#include "tools/interrupt.h"
#include "tools/nearest.h"
#include "tools/show.h"
#include "tools/tap_streams.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;

constexpr std::size_t kWaitingBytesMax = 64u << 20;  // a paused terminal; more is counted
constexpr auto kTapTick = 50ms;
constexpr auto kRatePeriod = 1s;
constexpr auto kReplaysPeriod = 500ms;  // of looking for new ones

struct TapOptions {
  std::vector<std::string> nodes;
  std::vector<std::string> streams;
  std::vector<std::string> names;
  bool rates = false;
  std::uint64_t count = 0;  // lines, or with rates seconds; 0: no end
  Duration period{0};       // 0: no end
};

struct Tapped {
  std::string node;
  const TapStream* stream;
  bus::Frame frame;
};

/// Of one stream since the last time that it was shown.
struct SourceRate {
  std::uint64_t frames = 0;
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;
  std::uint64_t missing = 0;  // items that were published and did not get here
};

class Tap {
 public:
  Tap(Context& context, Client& client, const TapOptions& options,
      std::vector<const TapStream*> streams)
      : context_(context),
        client_(client),
        options_(options),
        streams_(std::move(streams)),
        inbox_(std::make_shared<Mailbox<Tapped>>(kWaitingBytesMax)) {}

  Exit run();

 private:
  using Source = std::pair<std::string, std::string_view>;  // node, stream

  bool full() const { return options_.count > 0 && lines_ >= options_.count; }
  bool wants(const bus::NodeInfo& node) const { return tap_wants(options_.nodes, {node.name}); }
  void look_for_nodes();
  void look_for_replays();
  void learn_channels();
  std::uint64_t missing_before(const Tapped& tapped);
  void show(const Tapped& tapped);
  void show_item(const Tapped& tapped, const TapItem& item);
  void count(const Tapped& tapped);
  void show_rates();

  Context& context_;
  Client& client_;
  const TapOptions& options_;
  const std::vector<const TapStream*> streams_;
  const std::shared_ptr<Mailbox<Tapped>> inbox_;

  std::set<bus::NodeNumber> tapped_;
  struct Replay {
    Uuid id;
    std::string name;
    TapStream stream;
  };
  std::deque<Replay> replays_;  // also those that are over: frames of them may wait
  SteadyTime replays_at_{};
  std::pair<bus::Incarnation, std::uint64_t> directory_{0, ~0ull};  // that `names_` is from
  TapNames names_;
  struct Place {
    bus::Incarnation incarnation = 0;
    std::uint64_t next = 0;  // sequence that is due
  };
  std::map<Source, Place> places_;
  std::map<Source, SourceRate> rates_;
  std::uint64_t lines_ = 0;
};

void Tap::look_for_nodes() {
  const auto directory = client_.directory();
  const std::pair now(directory.registry, directory.revision);
  if (now == directory_) return;
  directory_ = now;
  names_.offers = offers_of(directory);
  for (const auto& node : directory.nodes) {
    if (!wants(node) || !tapped_.insert(bus::node_number(node.uuid)).second) continue;
    for (const auto* stream : streams_) {
      if (bus::is_replay(stream->frame_class)) continue;
      client_.link().subscribe(stream->frame_class, {bus::node_number(node.uuid), stream->number},
                               [inbox = inbox_, name = node.name, stream](bus::Frame frame) {
                                 if (frame.header.frame_class == bus::FrameClass::kHeartbeat)
                                   return;
                                 const auto bytes = frame.payload.size() + bus::kFrameHeaderBytes;
                                 inbox->push({name, stream, std::move(frame)}, bytes);
                               });
    }
  }
}

/// Each has streams of its own while it lasts.
void Tap::look_for_replays() {
  const auto now = steady_now();
  const auto journal = client_.node("journal");
  if (now < replays_at_ || !journal || bus::is_gone(journal->state) || !wants(*journal)) return;
  replays_at_ = now + kReplaysPeriod;
  const auto wanted = [](const auto* stream) { return bus::is_replay(stream->frame_class); };
  if (std::none_of(streams_.begin(), streams_.end(), wanted)) return;
  const auto list = client_.ask<api::ReplayList>("journal", "journal.replay_list", api::Empty{},
                                                 context_.budget(500ms));
  if (!list) return;
  const auto number = bus::node_number(journal->uuid);
  for (const auto& each : list.value().replays) {
    const auto known = std::any_of(replays_.begin(), replays_.end(),
                                   [&](const auto& replay) { return replay.id == each.id; });
    if (known) continue;
    for (const bool news : {false, true}) {
      const auto* kind = news ? "replay-news" : "replay";
      const auto named = [&](const auto* stream) { return stream->name == kind; };
      if (std::none_of(streams_.begin(), streams_.end(), named)) continue;
      auto& replay = replays_.emplace_back();
      replay.id = each.id;
      replay.name = std::string(kind) + "/" + short_id(each.id);
      replay.stream = {replay.name,
                       news ? bus::FrameClass::kReplayNews : bus::FrameClass::kReplayState,
                       static_cast<bus::StreamNumber>(each.stream + (news ? 1 : 0))};
      client_.link().subscribe(
          replay.stream.frame_class, {number, replay.stream.number},
          [inbox = inbox_, name = journal->name, stream = &replay.stream](bus::Frame frame) {
            if (frame.header.frame_class == bus::FrameClass::kHeartbeat) return;
            const auto bytes = frame.payload.size() + bus::kFrameHeaderBytes;
            inbox->push({name, stream, std::move(frame)}, bytes);
          });
    }
  }
}

/// Without the keeper, channels have numbers only.
void Tap::learn_channels() {
  const auto keeper = client_.node("keeper");
  if (!keeper || bus::is_gone(keeper->state)) return;
  const auto known =
      client_.ask<api::Channels>("keeper", "keeper.channels", api::Empty{}, context_.budget(2s));
  if (!known) return;
  for (const auto& channel : known.value().channels) {
    names_.channels[channel.id] = channel.address;
  }
}

std::uint64_t Tap::missing_before(const Tapped& tapped) {
  const auto& header = tapped.frame.header;
  auto& place = places_[{tapped.node, tapped.stream->name}];
  std::uint64_t missing = 0;
  if (place.incarnation == header.incarnation && header.sequence > place.next) {
    missing = header.sequence - place.next;
  }
  place = {header.incarnation, header.sequence + header.count};
  return missing;
}

void Tap::show_item(const Tapped& tapped, const TapItem& item) {
  if (full()) return;
  ++lines_;
  const auto& header = tapped.frame.header;
  if (context_.json) {
    context_.print({{"sent_at", time_json(header.sent_at)},
                    {"node", tapped.node},
                    {"stream", tapped.stream->name},
                    {"incarnation", header.incarnation},
                    {"sequence", header.sequence},
                    {"items", header.count},
                    {"content", item.json}});
  } else {
    auto line = time_text(header.sent_at) + "  " + tapped.node + " " +
                std::string(tapped.stream->name) + " " + std::to_string(header.sequence) + "  " +
                item.text;
    line = printable(line);
    context_.out << (context_.columns > 0 ? shorten(line, context_.columns) : line) << "\n";
  }
  context_.out.flush();
}

void Tap::show(const Tapped& tapped) {
  const auto where = tapped.node + " " + std::string(tapped.stream->name);
  if (const auto missing = missing_before(tapped); missing > 0) {
    context_.err << "tidemark: " << printable(where) << ": " << missing
                 << (missing == 1 ? " item is" : " items are") << " missing before "
                 << tapped.frame.header.sequence << std::endl;
  }
  if (tapped.stream->number == bus::kCatalogStream) learn_channels();
  const auto items = tap_items(*tapped.stream, tapped.node, tapped.frame, names_, options_.names);
  if (!items) {
    context_.err << "tidemark: " << printable(where + ": " + items.error().message) << std::endl;
    return;
  }
  for (const auto& item : items.value()) show_item(tapped, item);
}

void Tap::count(const Tapped& tapped) {
  auto& rate = rates_[{tapped.node, tapped.stream->name}];
  rate.frames += 1;
  rate.items += tapped.frame.header.count;
  rate.bytes += tapped.frame.payload.size() + bus::kFrameHeaderBytes;
  rate.missing += missing_before(tapped);
}

void Tap::show_rates() {
  ++lines_;
  const auto now = context_.now();
  const double seconds = std::chrono::duration<double>(kRatePeriod).count();
  const auto per_second = [&](double number) {
    char text[64];
    std::snprintf(text, sizeof text, "%.1f", number / seconds);
    return std::string(text);
  };
  Table table({{"NODE", false, false},
               {"STREAM", false, false},
               {"FRAMES/S", true, false},
               {"ITEMS/S", true, false},
               {"KIB/S", true, false},
               {"MISSING", true, false}});
  for (auto& [source, rate] : rates_) {
    const auto kib = static_cast<double>(rate.bytes) / 1024;
    if (context_.json) {
      context_.print({{"time", time_json(now)},
                      {"node", source.first},
                      {"stream", source.second},
                      {"frames_per_second", static_cast<double>(rate.frames) / seconds},
                      {"items_per_second", static_cast<double>(rate.items) / seconds},
                      {"kib_per_second", kib / seconds},
                      {"missing", rate.missing}});
    } else {
      table.add({source.first, source.second, per_second(static_cast<double>(rate.frames)),
                 per_second(static_cast<double>(rate.items)), per_second(kib),
                 std::to_string(rate.missing)});
    }
    rate = {};
  }
  if (!context_.json) {
    context_.out << time_text(now, 0) << (table.empty() ? "  nothing flows\n" : "\n");
    if (!table.empty()) {
      table.print(context_.out, context_.columns, context_.color());
      context_.out << "\n";
    }
  }
  context_.out.flush();
}

Exit Tap::run() {
  const Interrupt interrupt;
  client_.follow_directory();
  look_for_nodes();
  if (tapped_.empty()) {
    std::string nodes;
    for (const auto& node : options_.nodes) nodes += (nodes.empty() ? "'" : ", '") + node + "'";
    const auto hint = options_.nodes.size() == 1
                          ? did_you_mean(options_.nodes.front(), names_of(names_.offers))
                          : "";
    return context_.report(
        {Code::kNotFound, "nobody on the bus is called " + printable(nodes) + hint});
  }
  if (!options_.rates) learn_channels();
  const auto begin = steady_now();
  const auto end = options_.period > Duration{0} ? begin + options_.period : SteadyTime::max();
  auto next_rates = begin + kRatePeriod;
  while (!Interrupt::came() && !full() && steady_now() < end && context_.out) {
    look_for_nodes();
    look_for_replays();
    for (const auto& tapped : inbox_->take(kTapTick)) {
      if (options_.rates) {
        count(tapped);
      } else {
        show(tapped);
      }
    }
    if (const auto refused = inbox_->take_refused(); refused > 0) {
      context_.err << "tidemark: too slow: " << refused << " frames are not shown" << std::endl;
    }
    if (options_.rates && steady_now() >= next_rates) {
      show_rates();
      next_rates += kRatePeriod;
    }
  }
  return Exit::kFine;
}

Exit tap(Context& context, Client& client, const TapOptions& options) {
  std::vector<const TapStream*> streams;
  for (const auto& name : options.streams) {
    const auto stream = parse_tap_stream(name);
    if (!stream) return context.report(stream.error());
    streams.push_back(stream.value());
  }
  if (streams.empty()) {
    for (const auto& stream : tap_streams()) streams.push_back(&stream);
  }
  return Tap(context, client, options, std::move(streams)).run();
}

}  // namespace

void add_bus_commands(Command app, Context& context) {
  auto bus = add_group(
      app, "bus",
      {"Look at the bus itself", "What nodes and subsystems send each other, as it is on the wire.",
       "  tidemark bus tap --stream keys\n  tidemark bus tap --rates"});
  auto options = std::make_shared<TapOptions>();
  auto command = add_command(
      bus, context, "tap",
      {"Show what flows on the data streams",
       "One line for each item, and of a batch of PVs how many there are, with a few values. "
       "Streams are live (PVs), directory, catalog, jobs, keys, status, replay and replay-news. "
       "--name is a glob on "
       "what an item is about: SUBSYSTEM/KEY, a PV, SUBSYSTEM/ITEM or a node. Standard error "
       "says when items are missing.",
       "  tidemark bus tap --node 'psu.*' --name '*/current'\n"
       "  tidemark bus tap --stream status --stream directory --json\n"
       "  tidemark bus tap --rates --count 10"},
      [&context, options] {
        return with_client(context, [&](Client& client) { return tap(context, client, *options); });
      });
  add_repeatable(command, "--node", options->nodes, "Only of these; a glob").type_name("NAME");
  add_repeatable(command, "--stream", options->streams, "Only this stream").type_name("STREAM");
  add_repeatable(command, "--name", options->names, "Only about these; a glob").type_name("GLOB");
  command.add_flag("--rates", options->rates, "Once a second how much, not what");
  command.add_option("--count", options->count, "End after so many lines, or seconds of --rates");
  add_duration(command, "--for", options->period, "End after this time");
}

}  // namespace tidemark::tools
