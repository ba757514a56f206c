// gateway/utf8.h
//
// Which bytes are UTF-8. Texts come from IOCs and from URLs, and both may hold anything.

#pragma once

#include <cstddef>
#include <string_view>

namespace tidemark::gateway {

/// Bytes (1 to 4) of the well-formed character at `at`, 0 when there is none. `at` is inside.
/// Source: Unicode 15, table 3-7: no overlong forms, no surrogates, nothing over U+10FFFF.
std::size_t utf8_size_at(std::string_view bytes, std::size_t at);

bool is_utf8(std::string_view bytes);

}  // namespace tidemark::gateway
