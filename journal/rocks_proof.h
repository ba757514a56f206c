// journal/rocks_proof.h
//
// Whether a database is what was acknowledged: its last block, the witness, and the marks must
// agree. Looked at before it is opened to write, and by tools.

#pragma once

#include <optional>
#include <string>

#include "journal/rocks_database.h"
#include "journal/rocks_log.h"
#include "journal/witness.h"

namespace tidemark::journal {

/// The database must hold what the witness saw, and end in a sound block that follows its
/// predecessor.
/// Errors: kCorruption.
Result<Tail> check_tail(const Database& database, const std::optional<Witnessed>& witnessed);

/// The marks must be those of `last`, which is the last line of the log.
/// Errors: kCorruption, kUnavailable.
Result<Unit> check_marks(const RocksStoreOptions& options, const Database& database, Line last);

/// What is wrong with a directory, and what to do about it.
Error lost(const std::string& directory, const std::string& what);
/// The same of an error of check_tail() and its like; others get the directory only.
Error unusable(const std::string& directory, const Error& error);

}  // namespace tidemark::journal
