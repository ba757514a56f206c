// gateway/large_dto.h
//
// The two answers that grow with the machine, a snapshot and the live values, made piece by piece
// (response.h).
//
// A number that JSON cannot hold is null, and a member "special" beside it says what it was:
// "NaN", "Infinity", "-Infinity"; for an array {"<index>":"NaN",…}. An enum is its index.

#pragma once

#include <vector>

#include "gateway/response.h"
#include "model/api/keeper.h"

namespace tidemark::gateway {

/// SnapshotDTO. `groups` name the tags; a tag that is no more is left out.
Pieces snapshot_pieces(model::Snapshot snapshot, std::vector<model::TagGroup> groups, Frame frame);

/// PVCacheEntry by name; `counted`: {"values":{name: entry},"count":n}.
Pieces live_pieces(model::api::LiveReply reply, bool counted, Frame frame);

}  // namespace tidemark::gateway
