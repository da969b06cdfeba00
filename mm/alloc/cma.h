/* SPDX-License-Identifier: Apache-2.0 */
/* The area for runs of frames, for the boot of the mm core. */
#ifndef MM_CMA_H
#define MM_CMA_H

#include "mm/internal.h"

/** Before structures are placed: set the area apart. 0, or -ENOMEM. */
int mm_cma_reserve(struct mm *mm, uint64_t bytes);
/** Once memory is released: its page blocks are CMA, and free. 0, or -ENOMEM. */
int mm_cma_activate(struct mm *mm);

#endif
