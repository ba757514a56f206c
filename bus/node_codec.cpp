// bus/node_codec.cpp

#include "bus/forget.h"
#include "bus/node.h"
#include "model/packing_impl.h"

TIDEMARK_PACKABLE(tidemark::bus::NodeInfo);
TIDEMARK_PACKABLE(std::vector<tidemark::bus::NodeInfo>);
TIDEMARK_PACKABLE(tidemark::bus::Directory);
TIDEMARK_PACKABLE(tidemark::bus::Nothing);
TIDEMARK_PACKABLE(tidemark::bus::Renewal);
TIDEMARK_PACKABLE(tidemark::bus::Lease);
TIDEMARK_PACKABLE(tidemark::bus::Forget);
