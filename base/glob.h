// base/glob.h
//
// Patterns as people write them for PV names: `*` is any run of characters, `?` any one. There
// is no way to escape them, and no other special character: PV names have brackets in them.

#pragma once

#include <string_view>

namespace tidemark {

/// True when the whole of `text` fits. In time of at most |pattern| × |text|, without allocating.
bool glob_match(std::string_view pattern, std::string_view text);

/// True when there is a `*` or `?` in it; else only the same text fits.
bool is_glob(std::string_view pattern);

}  // namespace tidemark
