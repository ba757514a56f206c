// journal/skeleton.h
//
// All of a segment's blocks that is not an update or a record: where each begins, when it was
// recorded, and what its sections say. Columns of small numbers for the whole segment, so that a
// block costs some bytes and not 120.
//
//   block   lines · recorded_at · kinds · level
//   section origin · incarnation · sequence · sent_at · records · format · where it is
//
// The content of a section is in the segment's chunks (updates), or in frames: the bytes that the
// origin sent, one section after the other, of one class of records each.
//
// docs/journal-format.md has every byte.

#pragma once

#include <array>
#include <vector>

#include "journal/record_class.h"
#include "journal/store.h"

namespace tidemark::journal {

/// Stored: never renumber.
enum class Content : std::uint8_t {
  kRows = 0,   // updates: in the chunks, by their lines
  kWhole = 1,  // byte for byte in one frame
  kMixed = 2,  // records of several classes: those of each class are a batch in a frame
};

/// Bytes in a frame.
struct Part {
  RecordClass of = RecordClass::kKept;
  std::uint32_t bytes = 0;
  std::uint32_t frame = 0;   // follows from the parts before
  std::uint32_t offset = 0;  // in the frame; follows too
  bool operator==(const Part&) const = default;
};

/// So many records of a class, one after the other.
struct ClassRun {
  RecordClass of = RecordClass::kKept;
  std::uint32_t count = 0;
  bool operator==(const ClassRun&) const = default;
};

struct SectionBones {
  Section section;  // without its payload
  Content content = Content::kRows;
  std::vector<Part> parts;     // kWhole one, kMixed one for each class, ascending
  std::vector<ClassRun> runs;  // kMixed
  bool operator==(const SectionBones&) const = default;
};

struct BlockBones {
  Line first{};
  std::uint32_t count = 0;
  UtcTime recorded_at{};
  std::uint32_t kinds = 0;
  model::Level level = model::Level::kDebug;
  std::uint32_t sections_begin = 0;  // in Skeleton::sections
  std::uint32_t sections_end = 0;
  Line last() const { return Line{raw(first) + count - 1}; }
  bool operator==(const BlockBones&) const = default;
};

struct Skeleton {
  std::vector<BlockBones> blocks;  // at least one
  std::vector<SectionBones> sections;
  bool operator==(const Skeleton&) const = default;
};

/// A frame is full when it has so many bytes: little to unpack for who wants one section.
inline constexpr std::size_t kFrameBytes = 64u << 10;

/// Says where parts go, in the order in which they come.
class FramePlaces {
 public:
  void place(Part& part);
  /// So many frames were begun.
  std::uint32_t frames(RecordClass of) const;

 private:
  struct Place {
    std::uint32_t frame = 0;
    std::size_t bytes = 0;
  };
  std::array<Place, kFrameClasses> places_{};
};

Bytes encode_skeleton(const Skeleton& skeleton);
/// Errors: kCorruption.
Result<Skeleton> decode_skeleton(BytesView bytes);

}  // namespace tidemark::journal
