// tools/marks.h
//
// Marks of the journal: which one is meant, how they are shown, and how one is set.

#pragma once

#include <string>
#include <vector>

#include "model/api/marks.h"
#include "model/record.h"
#include "tools/context.h"

namespace tidemark::tools {

/// The newest of that name, else the one with that id or its first digits; `open`: of those that
/// have not ended.
/// Errors: kNotFound; kConflict  it has ended, and `open` was asked for. And as Client::ask.
Result<model::api::MarkEntry> find_mark(Client& client, const std::string& mark, bool open,
                                        Duration budget);

/// "; did you mean 'shot 12'?" of a mark that there is not, or nothing. Of the newest thousand.
std::string mark_hint(Client& client, const std::string& mark);

/// Durable when it returns. The journal takes marks as records, so there is one way in for them
/// all: `journal.append`, which stores once what comes twice.
Result<Unit> say(Client& client, const std::string& user, const std::vector<model::Record>& records,
                 Duration budget);

/// Of "shot=4711" and the like, each guessed as `any` is: a struct. None when there is nothing.
/// Errors: kInvalidArgument, naming the option and what it is about.
Result<model::kv::Value> parse_data(const std::vector<std::string>& pairs,
                                    const std::string& option = "--data");

/// "1.250s", "3m 20s"; "open"; "no begin".
std::string lasted_text(const model::api::MarkEntry& mark);
Json mark_json(const model::api::MarkEntry& mark);

}  // namespace tidemark::tools
