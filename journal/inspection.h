// journal/inspection.h
//
// What a journal's directory holds beside its lines: how large its parts are, who wrote, what the
// witness knows. For tools; a plain value.

#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "journal/store.h"

namespace tidemark::journal {

/// A family of the database, or a file beside it.
struct PartSize {
  std::string name;
  std::uint64_t entries = 0;  // about; 0 for what has none
  std::uint64_t bytes = 0;    // on the disk
};

struct Inspection {
  std::vector<PartSize> parts;
  std::vector<std::pair<Uuid, OriginMark>> origins;  // newest first
  std::optional<Line> witnessed;                     // none: there is no sound witness
};

}  // namespace tidemark::journal
