#include "tools/nearest.h"

#include <algorithm>
#include <numeric>

#include "base/ascii.h"
#include "tools/table.h"

namespace tidemark::tools {
namespace {

constexpr std::size_t kNameMax = 256;  // longer ones are not compared: time grows with the square

}  // namespace

std::size_t edits_between(std::string_view a, std::string_view b) {
  // Rows of the matrix of Damerau and Levenshtein: the one before the last, the last, this one.
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto x = lower(a[i - 1]);
      const auto y = lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (x == y ? 0u : 1u)});
      const bool swapped = i > 1 && j > 1 && x == lower(b[j - 2]) && lower(a[i - 2]) == y;
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

std::optional<std::string> nearest(std::string_view wanted, const std::vector<std::string>& known) {
  if (wanted.size() > kNameMax) return std::nullopt;
  std::optional<std::string> best;
  auto fewest = std::max<std::size_t>(1, wanted.size() / 3) + 1;
  for (const auto& each : known) {
    if (each.size() > kNameMax) continue;
    const auto edits = edits_between(wanted, each);
    if (edits >= fewest) continue;
    fewest = edits;
    best = each;
  }
  return best;
}

std::string did_you_mean(std::string_view wanted, const std::vector<std::string>& known) {
  const auto found = nearest(wanted, known);
  return found ? "; did you mean '" + printable(*found) + "'?" : "";
}

}  // namespace tidemark::tools
