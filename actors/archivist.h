// actors/archivist.h
//
// Answers questions about the past (model/api/past.h, marks.h) from a journal::Archive. It reads
// the disk and blocks, so spawn it with caf::detached; a long answer keeps the next question
// waiting, and nobody else.

#pragma once

#include "actors/messages.h"
#include "actors/past.h"
#include "model/api/marks.h"

namespace tidemark::actors {

using Archivist = caf::typed_actor<
    /// Each: a request of that name → progress in parts, then the end, or the answer at once.
    caf::reacts_to<moment_atom, bus::Call>, caf::reacts_to<state_atom, bus::Call>,
    caf::reacts_to<changes_atom, bus::Call>, caf::reacts_to<history_atom, bus::Call>,
    caf::reacts_to<bins_atom, bus::Call>, caf::reacts_to<blame_atom, bus::Call>,
    caf::reacts_to<marks_atom, bus::Call>>;

struct ArchivistState : Past {
  static inline const char* name = "archivist";
};

Archivist::behavior_type archivist_actor(Archivist::stateful_pointer<ArchivistState> self,
                                         std::shared_ptr<const journal::Projections> projections);

}  // namespace tidemark::actors
