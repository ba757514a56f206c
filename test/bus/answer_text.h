// test/bus/answer_text.h
//
// An answer as one line, for comparing: its payload, or what its error says.

#pragma once

#include <string>

#include "bus/link.h"

namespace tidemark::bus {

inline std::string text(const Answer& answer) {
  if (answer) return answer.value();
  return std::string(to_string(answer.error().code)) + ": " + answer.error().message;
}
inline std::string text(Code code, const std::string& message) {
  return text(Answer(Error{code, message}));
}

}  // namespace tidemark::bus
