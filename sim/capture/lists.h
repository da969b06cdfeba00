/* SPDX-License-Identifier: Apache-2.0 */
/* Free blocks by order and mobility, and page blocks by mobility: pagetypeinfo and buddyinfo. */
#ifndef SIM_CAPTURE_LISTS_H
#define SIM_CAPTURE_LISTS_H

#include "sim/capture/state.h"

/**
 * Fill free_blocks and page_blocks of the zones of `s` from its pagetypeinfo.txt, and check
 * them against buddyinfo.txt, where that is there, and against zoneinfo's count of free pages.
 * Errors as captured_state_read().
 */
int captured_lists_read(struct captured_state *s, const struct mm *mm, struct diag *diag);

#endif
