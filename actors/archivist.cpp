#include "actors/archivist.h"

#include "actors/mark_list.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;

Result<Unit> answer_marks(const Past& self, const bus::Call& call, const api::MarksQuery& query) {
  const auto reply = list_marks(self.projections->marks(), query);
  if (!reply) return reply.error();
  call.done(model::pack(reply.value()));
  return Unit{};
}

Result<Unit> answer_moment(const Past& self, const bus::Call& call, const api::Moment& moment) {
  const auto reply = resolve(*self.projections, moment);
  if (!reply) return reply.error();
  call.done(model::pack(reply.value()));
  return Unit{};
}

/// Unpacks the request, answers it, or fails it.
template <class Request, class Answer>
void serve_one(Past& self, const bus::Call& call, Answer&& answer) {
  const auto request = model::unpack<Request>(call.payload());
  if (!request) return call.fail({Code::kInvalidArgument, request.error().message});
  self.learn_channels();
  const Result<Unit> answered = answer(self, call, request.value());
  if (!answered) call.fail(answered.error());
}

}  // namespace

Archivist::behavior_type archivist_actor(Archivist::stateful_pointer<ArchivistState> self,
                                         std::shared_ptr<const journal::Projections> projections) {
  auto& state = self->state;
  state.projections = projections;
  state.archive = std::make_unique<journal::Archive>(std::move(projections));
  return {
      [&state](moment_atom, const bus::Call& call) {
        serve_one<api::Moment>(state, call, answer_moment);
      },
      [&state](state_atom, const bus::Call& call) {
        serve_one<api::StateQuery>(state, call, answer_state);
      },
      [&state](changes_atom, const bus::Call& call) {
        serve_one<api::ChangesQuery>(state, call, answer_changes);
      },
      [&state](history_atom, const bus::Call& call) {
        serve_one<api::HistoryQuery>(state, call, answer_history);
      },
      [&state](bins_atom, const bus::Call& call) {
        serve_one<api::BinsQuery>(state, call, answer_bins);
      },
      [&state](blame_atom, const bus::Call& call) {
        serve_one<api::BlameQuery>(state, call, answer_blame);
      },
      [&state](marks_atom, const bus::Call& call) {
        serve_one<api::MarksQuery>(state, call, answer_marks);
      },
  };
}

}  // namespace tidemark::actors
