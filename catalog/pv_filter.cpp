#include "catalog/pv_filter.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/glob.h"

namespace tidemark::catalog {

bool contains(std::string_view text, std::string_view lowered_part) {
  const auto same = [](char a, char b) { return lower(a) == b; };
  return std::search(text.begin(), text.end(), lowered_part.begin(), lowered_part.end(), same) !=
             text.end() ||
         lowered_part.empty();
}

void PvFilter::names(const std::vector<std::string>& names) {
  named_ = true;
  for (const auto& name : names) {
    if (is_glob(name)) {
      globs_.push_back(name);
    } else {
      exact_.insert(name);
    }
  }
}

void PvFilter::text(std::string_view part) { text_ = lowered(part); }

bool PvFilter::fits(const std::string& address) const {
  if (address.empty()) return false;
  return !named_ || exact_.count(address) > 0 ||
         std::any_of(globs_.begin(), globs_.end(),
                     [&](const auto& glob) { return glob_match(glob, address); });
}

bool PvFilter::matches(const model::PvEntry& pv) const {
  if (none_ || (pvs_ && pvs_->count(pv.id) == 0)) return false;
  const auto has_any = [&](const std::vector<Uuid>& tags) {
    return std::any_of(tags.begin(), tags.end(), [&](const Uuid& tag) {
      return std::find(pv.tags.begin(), pv.tags.end(), tag) != pv.tags.end();
    });
  };
  if (!std::all_of(tags_.begin(), tags_.end(), has_any)) return false;
  if (named_) {
    if (!fits(pv.setpoint) && !fits(pv.readback) && !fits(pv.config)) return false;
  }
  return text_.empty() || contains(pv.setpoint, text_) || contains(pv.readback, text_) ||
         contains(pv.config, text_) || contains(pv.device, text_) ||
         contains(pv.description, text_);
}

}  // namespace tidemark::catalog
