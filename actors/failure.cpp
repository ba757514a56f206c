#include "actors/failure.h"

#include <caf/make_message.hpp>
#include <caf/message.hpp>

namespace tidemark::actors {

std::string to_string(failure code) {
  return std::string(tidemark::to_string(static_cast<Code>(code)));
}

caf::error to_caf(const Error& error) {
  return caf::make_error(static_cast<failure>(error.code), error.message);
}

Error from_caf(const caf::error& error) {
  if (error.category() != caf::atom("tidemark")) {
    return Error{Code::kFailed, "internal: " + caf::to_string(error)};
  }
  const auto code = static_cast<Code>(error.code());
  if (error.context().match_elements<std::string>()) {
    return Error{code, error.context().get_as<std::string>(0)};
  }
  return Error{code, std::string(tidemark::to_string(code))};
}

}  // namespace tidemark::actors
