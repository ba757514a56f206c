// tools/key_read.h
//
// The values of many keys at once, as their owners give them now.

#pragma once

#include <vector>

#include "tools/client.h"
#include "tools/offers.h"

namespace tidemark::tools {

/// Asks the owner of each; his on_read() decides. In the order of `keys`.
std::vector<Result<model::api::KeyUpdate>> read_keys(Client& client,
                                                     const std::vector<FoundKey>& keys,
                                                     Duration budget);

/// What each of `keys` was set to last, with one question to each owner; those that are not
/// published are read. Of who is gone: kUnavailable. In the order of `keys`.
std::vector<Result<model::api::KeyUpdate>> last_values(Client& client,
                                                       const std::vector<FoundKey>& keys,
                                                       Duration budget);

}  // namespace tidemark::tools
