// journal/segment_amounts.h
//
// How many bytes a closed segment has of each class: what retention adds up, without reading it.

#pragma once

#include <array>

#include "journal/projection_table.h"
#include "journal/record_class.h"
#include "journal/segment_header.h"

namespace tidemark::journal {

/// Keys and values as stored, by class.
using Amounts = std::array<std::uint64_t, kRecordClasses>;

KeyValue encode_amounts(Line first, const Amounts& amounts);
/// Errors: kCorruption.
Result<Amounts> decode_amounts(BytesView value);

/// By looking at every piece. Errors: kCorruption, kUnavailable: the disk.
Result<Amounts> measure(const ProjectionTable& table, const SegmentHeader& header);
/// As written when it was closed; measured where that was by an earlier version.
Result<Amounts> amounts_of(const ProjectionTable& table, const SegmentHeader& header);

}  // namespace tidemark::journal
