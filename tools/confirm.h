// tools/confirm.h
//
// Asking before something that cannot be taken back.

#pragma once

#include <string>

#include "tools/context.h"

namespace tidemark::tools {

/// Asks on standard error, reads a line. Only "y" and "yes", in any case, are a yes.
bool confirmed(Context& context, const std::string& question);

}  // namespace tidemark::tools
