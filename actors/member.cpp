#include "actors/member.h"

#include <spdlog/spdlog.h>

namespace tidemark::actors {

using model::api::kLeaseRenewal;

void MemberState::apply(const bus::Directory& fresh) {
  // An older directory may overtake a newer one: one comes by answer, the other by stream.
  const bool older = fresh.registry < directory.registry ||
                     (fresh.registry == directory.registry && fresh.revision < directory.revision);
  if (older || fresh == directory) return;
  for (const auto& node : fresh.nodes) {
    if (node.uuid != options.link->self().uuid) options.link->set_peer(node);
  }
  // A registry that has just started does not know everybody yet: who is missing in its list is
  // not gone.
  directory = fresh;
  options.on_directory(directory);
}

Member::behavior_type member_actor(Member::stateful_pointer<MemberState> self,
                                   MemberOptions options) {
  auto& state = self->state;
  state.options = std::move(options);
  auto& link = *state.options.link;
  const auto me = caf::actor_cast<Member>(self);
  link.set_peer(state.options.registry);
  link.subscribe(bus::FrameClass::kDirectory,
                 {bus::node_number(state.options.registry.uuid), bus::kDirectoryStream},
                 [me](bus::Frame frame) {
                   if (frame.header.frame_class != bus::FrameClass::kDirectory) return;
                   auto directory = model::unpack<bus::Directory>(frame.payload);
                   if (directory) {
                     caf::anon_send(me, directory_atom_v, std::move(directory).value());
                   }
                 });
  self->send(self, tick_atom_v);

  return {
      [self, &state, me](tick_atom) {
        if (state.leaving) return;
        self->delayed_send(self, kLeaseRenewal, tick_atom_v);
        state.options.link->request(
            bus::node_number(state.options.registry.uuid), "registry.register",
            model::pack(state.options.link->self()), {kLeaseRenewal, {}},
            [me](bus::Answer answer) { caf::anon_send(me, answered_atom_v, std::move(answer)); });
      },
      [&state](directory_atom, const bus::Directory& directory) { state.apply(directory); },
      [&state](answered_atom, const bus::Answer& answer) {
        if (state.leaving) return;
        if (answer) {
          state.reached = true;
          state.options.board->warning("registry", "");
          const auto directory = model::unpack<bus::Directory>(answer.value());
          if (directory) state.apply(directory.value());
          return;
        }
        const auto code = answer.error().code;
        if (code == Code::kRefused || code == Code::kConflict) {
          return state.options.on_fenced(answer.error());
        }
        if (state.reached)
          spdlog::warn("registry: {}; going on without it", answer.error().message);
        state.reached = false;
        state.options.board->warning("registry",
                                     "the registry does not answer; peers that know "
                                     "each other go on");
      },
      [&state](goodbye_atom) { state.left.deliver(Unit{}); },
      [self, &state, me](stop_atom) -> caf::result<Unit> {
        state.leaving = true;
        state.left = self->make_response_promise<Unit>();
        auto promise = state.left;
        state.options.link->request(
            bus::node_number(state.options.registry.uuid), "registry.goodbye",
            model::pack(state.options.link->self()), {std::chrono::milliseconds(500), {}},
            [me](const bus::Answer&) { caf::anon_send(me, goodbye_atom_v); });
        return promise;
      },
  };
}

}  // namespace tidemark::actors
