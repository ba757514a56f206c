// actors/mark_list.h
//
// The marks of the journal as they are asked for (model/api/marks.h), with what was said with them.

#pragma once

#include "actors/board.h"
#include "journal/mark_projection.h"
#include "model/api/marks.h"

namespace tidemark::actors {

/// Fewer than the limit when what was said with them is long; at least one.
/// Errors: as MarkProjection::current().
Result<model::api::MarkList> list_marks(const journal::MarkProjection& projection,
                                        const model::api::MarksQuery& query);

/// On the board: a figure, and a warning when there are any.
void warn_of_left_out(const journal::MarkProjection& projection, Board& board);

}  // namespace tidemark::actors
