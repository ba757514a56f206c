// actors/intake.h
//
// What the journal does with a section, as a function of what it has of the origin already:
//
//   all of it is there          drop it, and acknowledge again
//   it begins where we are      take it
//   it begins later, and what is between is on its way    refuse, it will come in order
//   it begins later, and what is between was dropped      a Gap, then take it
//   it begins later, and we had acknowledged what is between    a Gap (we are an older copy), then
//                                                               take it
//   another incarnation         what the old one had not sent is gone: a Gap, if it sent PV updates
//
// A section that was sent twice is the same section (same cut), because origins keep them whole.

#pragma once

#include <unordered_map>

#include "journal/store.h"
#include "model/api/journal.h"

namespace tidemark::actors {

class Intake {
 public:
  // Of one request. A group that has not been committed yet (actors/journal.cpp) and one request
  // more, with a gap before each section, are one block of the store: StoreLimits.
  static constexpr std::size_t kRequestSectionsMax = 1000;
  static constexpr std::size_t kRequestBytesMax = 20u << 20;  // a PV batch may have 16 MiB

  struct Taken {
    std::vector<journal::InspectedSection> sections;  // to store, in order; may be none
    std::uint64_t through = 0;                        // acknowledge up to this once stored
  };

  /// `me`: the origin of the Gap records that it makes, this journal itself, which numbers them
  /// from what the store has.
  Intake(const journal::Store& store, Uuid me, std::uint32_t my_incarnation)
      : store_(store), me_(me), my_incarnation_(my_incarnation) {}

  /// Decides about a request. What it takes counts as stored from now on.
  /// Errors: kInvalidArgument  it acknowledges what it also sends, or holds still: taken at its
  ///                           word that would be dropped without a trace. Or it is larger than
  ///                           one request may be.
  ///         kConflict, kCorruption, kRefused as actors/journal.h says. Nothing was taken.
  Result<Taken> take(const model::api::AppendRequest& request, UtcTime now);

  std::uint64_t duplicates() const { return duplicates_; }
  std::uint64_t gaps() const { return gaps_; }

 private:
  struct Mark {
    std::uint32_t incarnation = 0;
    std::uint64_t sequence = 0;
    UtcTime recorded_at{};
    bool updates = false;  // sent PV updates
  };
  Mark mark_of(const Uuid& origin);
  void remember(const Uuid& origin, const Mark& mark);
  journal::InspectedSection gap_section(const model::Gap& gap, std::uint64_t sequence,
                                        UtcTime now) const;

  const journal::Store& store_;
  const Uuid me_;
  const std::uint32_t my_incarnation_;
  std::uint64_t my_sequence_ = 0;
  std::unordered_map<Uuid, Mark> marks_;  // ahead of the store by what is not committed yet
  std::size_t short_lived_ = 0;           // that came since some were forgotten
  std::uint64_t duplicates_ = 0;
  std::uint64_t gaps_ = 0;
};

}  // namespace tidemark::actors
