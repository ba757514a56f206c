#include "tidemark/status.h"

#include "subsystem/session.h"

namespace tidemark {

void StatusItem::raise(Severity severity, std::int32_t code, std::string text) const {
  session_->status().raise(name_, severity, code, std::move(text));
}
void StatusItem::clear() const { session_->status().clear(name_); }
model::StatusItem StatusItem::now() const { return session_->status().get(name_); }

}  // namespace tidemark
