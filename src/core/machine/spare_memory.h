// Memory that was freed, and that the allocator keeps for later.
#pragma once

namespace coppice {

// Gives it back to the system, where the allocator can: after large tensors of many sizes it may be
// as much as they took.
void give_back_spare_memory();

}  // namespace coppice
