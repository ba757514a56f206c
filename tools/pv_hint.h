// tools/pv_hint.h
//
// The PV that looks most like one that nobody knows.

#pragma once

#include <string>

#include "tools/client.h"

namespace tidemark::tools {

/// "; did you mean 'QUAD:LI21:201:BDES'?", or nothing: none is near, the name is a pattern, or the
/// keeper is away. One half of the name must be right.
/// Blocking  for one question to the keeper, a second at most.
std::string pv_hint(Client& client, const std::string& address);

/// The error of a question about that PV, with the hint when it is that nobody knows it.
Error with_pv_hint(Client& client, Error error, const std::string& address);

}  // namespace tidemark::tools
