// tools/tap_streams.h
//
// The streams that are known, and what their frames say: each item as a line for people, a
// document for programs, and the name that a filter looks at.

#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bus/link.h"
#include "model/pv.h"
#include "tools/context.h"
#include "tools/offers.h"

namespace tidemark::tools {

struct TapStream {
  std::string_view name;
  bus::FrameClass frame_class;
  bus::StreamNumber number;
};

/// live, directory, catalog, jobs, keys, status; and replay and replay-news, which stand for those
/// of every replay: its own have other numbers.
const std::vector<TapStream>& tap_streams();
/// By name or number. Errors: kInvalidArgument, with the names.
Result<const TapStream*> parse_tap_stream(const std::string& text);

/// One of the things that a frame says.
struct TapItem {
  std::vector<std::string> names;  // what a filter may mean: a key, PVs, an item, a node
  std::string text;
  Json json;
};

/// What numbers in frames stand for.
struct TapNames {
  std::vector<Offer> offers;
  std::map<model::ChannelId, std::string> channels;
};

/// A batch of PV updates is one item; with `wanted`, of those that fit.
/// Errors: kCorruption, the payload is not what that stream carries.
Result<std::vector<TapItem>> tap_items(const TapStream& stream, const std::string& node,
                                       const bus::Frame& frame, const TapNames& names,
                                       const std::vector<std::string>& wanted);

/// Whether one of `names` fits one of the globs; without any, everything does.
bool tap_wants(const std::vector<std::string>& globs, const std::vector<std::string>& names);

}  // namespace tidemark::tools
