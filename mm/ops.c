/* SPDX-License-Identifier: Apache-2.0 */
/* Names of sites and locks, for configs/costs and reports. */
#include "mm/ops.h"

const char *mm_site_name(enum mm_site site)
{
	static const char *const names[] = {
#define X(id, name, what) [MM_SITE_##id] = name,
		MM_SITES(X)
#undef X
	};
	return names[site];
}

const char *mm_lock_name(enum mm_lock_kind kind)
{
	static const char *const names[] = {
#define X(id, name) [MM_LOCK_##id] = name,
		MM_LOCKS(X)
#undef X
	};
	return names[kind];
}
