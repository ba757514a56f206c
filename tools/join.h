// tools/join.h
//
// The public library (tidemark/) over a command's link: for commands that listen for long, or
// call events on others. They see what every program of the laboratory sees.

#pragma once

#include <memory>

#include "tidemark/client.h"
#include "tools/client.h"

namespace tidemark::tools {

/// A client of the library that shares the link of `client`, and has the directory.
/// Errors: kUnavailable, no registry answers within `patience`.
Result<std::unique_ptr<tidemark::Client>> join(Client& client, Duration patience);

}  // namespace tidemark::tools
