/* SPDX-License-Identifier: Apache-2.0 */
/* Tracepoints of slab objects, after include/trace/events/kmem.h of Linux 6.1. */
#include "mm/slab/slub.h"

static uint64_t address_of(const struct mm *mm, phys_addr_t object)
{
	return object ? mm->vm_map.direct.start + object : 0;
}

void mm_slab_emit_alloc(struct mm *mm, const struct mm_slab_request *req,
			const struct mm_kmem_cache *cache, bool is_kmalloc, uint64_t bytes,
			phys_addr_t object)
{
	struct mm_event ev = {
		.type = is_kmalloc ? MM_EVENT_KMALLOC : MM_EVENT_CACHE_ALLOC,
		.gfp = req->gfp,
		.nid = req->nid,
		.object = {.address = address_of(mm, object), .req = bytes},
	};

	if (!mm_tells(mm, ev.type))
		return;
	if (cache) {
		ev.object.room = cache->l.size;
		ev.object.accounted = cache->l.flags & MM_SLAB_ACCOUNT;
		if (!is_kmalloc)
			ev.object.cache = cache->name;
	} else {
		ev.object.room = UINT64_C(1)
				 << (mm_slab_bytes_order(mm, bytes) + mm->arch->page_shift);
	}
	ev.object.accounted |= (req->gfp & __GFP_ACCOUNT) != 0;
	mm_emit(mm, req->cpu, &ev);
}

void mm_slab_emit_free(struct mm *mm, int cpu, const struct mm_kmem_cache *cache,
		       phys_addr_t object)
{
	const struct mm_event ev = {
		.type = cache ? MM_EVENT_CACHE_FREE : MM_EVENT_KFREE,
		.object = {.address = address_of(mm, object), .cache = cache ? cache->name : NULL},
	};

	mm_emit(mm, cpu, &ev);
}
