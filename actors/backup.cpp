#include "actors/backup.h"

#include <algorithm>
#include <cctype>

namespace tidemark::actors {
namespace {

constexpr Duration kProgress = std::chrono::milliseconds(100);
constexpr std::size_t kNameBytesMax = 64;

/// It becomes a part of a path.
bool is_name(const std::string& name) {
  return name.size() <= kNameBytesMax && !name.starts_with('.') &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
         });
}

}  // namespace

BackupWriter::behavior_type backup_actor(BackupWriter::stateful_pointer<BackupWriterState> self,
                                         WriteBackup write,
                                         std::shared_ptr<const std::atomic<bool>> stop) {
  auto& state = self->state;
  state.write = std::move(write);
  return {
      [&state, stop = std::move(stop)](start_atom, const bus::Call& call) {
        const auto request = model::unpack<model::api::BackupRequest>(call.payload());
        if (!request) return call.fail({Code::kInvalidArgument, request.error().message});
        if (!request.value().directory.starts_with('/')) {
          return call.fail({Code::kInvalidArgument, "a backup needs an absolute path"});
        }
        if (!is_name(request.value().name)) {
          return call.fail(
              {Code::kInvalidArgument, "the name of a backup is letters, digits, . - _"});
        }
        auto next = steady_now();
        const auto progress = [&](std::uint64_t done, std::uint64_t total) {
          if (steady_now() >= next) {
            next = steady_now() + kProgress;
            call.progress(model::pack(model::api::BackupProgress{done, total}));
          }
          return !call.cancelled() && !stop->load();
        };
        const auto reply = state.write(request.value(), progress);
        if (!reply) return call.fail(reply.error());
        call.done(model::pack(reply.value()));
      },
  };
}

}  // namespace tidemark::actors
