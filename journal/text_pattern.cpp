#include "journal/text_pattern.h"

#include <re2/re2.h>

namespace tidemark::journal {

TextPattern::TextPattern(std::shared_ptr<const re2::RE2> compiled)
    : compiled_(std::move(compiled)) {}

Result<TextPattern> TextPattern::compile(std::string_view pattern) {
  if (pattern.size() > kBytesMax) {
    return Error{Code::kInvalidArgument,
                 "a regular expression of more than " + std::to_string(kBytesMax) + " bytes"};
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(kMemoryMax);
  auto compiled =
      std::make_shared<const re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!compiled->ok()) {
    return Error{Code::kInvalidArgument,
                 "'" + std::string(pattern) + "' is no regular expression: " + compiled->error()};
  }
  return TextPattern(std::move(compiled));
}

bool TextPattern::is_in(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *compiled_);
}

}  // namespace tidemark::journal
