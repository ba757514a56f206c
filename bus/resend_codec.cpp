// bus/resend_codec.cpp

#include "bus/resend.h"
#include "model/packing_impl.h"

TIDEMARK_PACKABLE(tidemark::bus::Resend);

namespace tidemark::bus {

Bytes pack_resend(const Resend& resend) { return model::pack(resend); }
Result<Resend> unpack_resend(BytesView payload) { return model::unpack<Resend>(payload); }

}  // namespace tidemark::bus
