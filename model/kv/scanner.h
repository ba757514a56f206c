// model/kv/scanner.h
//
// Reads the text of types and values from left to right, and says where it did not go on.
// Words and quoted strings are the same in both:
//
//   enum(off|"in position")      {x: 1.5, "2nd": [1, 2]}

#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tidemark::model::kv {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  /// Both skip spaces first. accept() takes `c` when it is next; peek() is '\0' at the end.
  bool accept(char c);
  char peek();
  bool at_end() { return peek() == '\0' && at_ == text_.size(); }

  /// Letters, digits, `_`, `-` and `.`, as many as there are.
  std::string_view word();
  /// All up to one of `stops` or the end, without spaces around it.
  std::string_view until(std::string_view stops);
  /// A word, or whatever is in quotes.
  /// Errors: kInvalidArgument, there is neither, or the quotes do not end.
  Result<std::string> name();

  std::size_t position() const { return at_; }
  Error expected(std::string_view what) { return expected(what, (peek(), at_)); }
  Error expected(std::string_view what, std::size_t position) const;

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

bool is_word(std::string_view text);
/// In double quotes; `"` and `\` have a `\` before them, control characters are \n, \t or \xNN.
std::string quoted(std::string_view text);
/// As name() reads it back: as it is when it is a word, quoted when it is not.
std::string name_text(std::string_view name);

}  // namespace tidemark::model::kv
