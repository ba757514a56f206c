#include "tools/confirm.h"

#include <algorithm>
#include <cctype>
#include <istream>
#include <ostream>

#include "tools/table.h"

namespace tidemark::tools {

bool confirmed(Context& context, const std::string& question) {
  context.out.flush();
  context.err << printable(question) << " [y/N] " << std::flush;
  std::string answer;
  if (!std::getline(context.in, answer)) return false;
  std::transform(answer.begin(), answer.end(), answer.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return answer == "y" || answer == "yes";
}

}  // namespace tidemark::tools
