#include "actors/gate.h"

namespace tidemark::actors {

Gate::behavior_type gate_actor(Gate::pointer self) {
  return {
      [self](run_atom, const std::shared_ptr<GateWork>& work) { work->run(self); },
  };
}

}  // namespace tidemark::actors
