// gateway/problem.h
//
// One thing that is wrong with a request's input, as the 422 answers list them.

#pragma once

#include <string>
#include <vector>

namespace tidemark::gateway {

struct Problem {
  std::string type;              // "missing", "int_parsing": the words of the contract
  std::vector<std::string> loc;  // {"query", "pageSize"}: digits only are an index
  std::string message;
  std::string input = "null";  // what was given, as JSON
};
using Problems = std::vector<Problem>;

}  // namespace tidemark::gateway
