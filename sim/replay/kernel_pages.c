/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the page allocator's functions: pages by descriptor and by address, runs, CMA. */
#include <inttypes.h>
#include <stdlib.h>

#include "mm/alloc/contig.h"
#include "mm/alloc/get_pages.h"
#include "mm/page.h"
#include "mm/page_info.h"
#include "mm/vmalloc/kmap.h"
#include "mm/vmalloc/vmalloc.h"
#include "mm/warn.h"
#include "sim/replay/kernel_state.h"

static struct mm_request request(const struct kernel_run *x)
{
	return (struct mm_request){
		.cpu = x->cpu,
		.nid = x->call->nid == MM_NO_NODE ? MM_NO_NODE : x->call->nid % mm_nr_nodes(x->mm),
		.order = x->call->order,
		.gfp = x->call->gfp,
		.atomic = x->task->atomic,
	};
}

static uint64_t page_bytes(const struct kernel_run *x)
{
	return UINT64_C(1) << mm_get_arch(x->mm)->page_shift;
}

static uint64_t pages_of(const struct kernel_run *x, uint64_t bytes)
{
	return (bytes + page_bytes(x) - 1) / page_bytes(x);
}

static bool alloc_one(struct kernel_run *x, struct kernel_value *v, struct kernel_item *i)
{
	struct mm_request req = request(x);

	return !mm_alloc_pages(x->mm, &req, &i->page) && kernel_own(x, i->page, v->order);
}

/* Single pages one after the other, which one call gave. */
static void store_run(struct kernel_run *x, struct page *first)
{
	struct kernel_value v = {.kind = KERNEL_PAGES,
				 .bytes = page_bytes(x),
				 .items = calloc(x->call->nr, sizeof(*v.items))};

	x->sum->calls++;
	x->sum->failed += !first;
	for (uint64_t i = 0; first && v.items && i < x->call->nr; i++) {
		v.items[v.nr++].page = first + i;
		kernel_own(x, first + i, 0);
	}
	kernel_store(x, &v);
}

static void alloc_bulk(struct kernel_run *x)
{
	struct mm_request req = request(x);
	struct kernel_value v = {.kind = KERNEL_PAGES,
				 .bytes = page_bytes(x),
				 .items = calloc(x->call->nr, sizeof(*v.items))};
	struct page **pages = calloc(x->call->nr, sizeof(struct page *));

	x->sum->calls++;
	if (pages && v.items)
		v.nr = mm_alloc_pages_bulk(x->mm, &req, x->call->nr, pages);
	for (uint64_t i = 0; i < v.nr; i++) {
		v.items[i].page = pages[i];
		kernel_own(x, pages[i], 0);
	}
	x->sum->failed += !v.nr;
	free(pages);
	kernel_store(x, &v);
}

static void alloc_contig(struct kernel_run *x)
{
	struct mm_request req = request(x);
	struct page *first = NULL;

	if (kernel_sleeps(x))
		return;
	if (mm_alloc_contig_pages(x->mm, &req, x->call->nr, &first))
		first = NULL;
	store_run(x, first);
}

static void cma_alloc(struct kernel_run *x)
{
	struct page *first = NULL;

	if (kernel_sleeps(x))
		return;
	if (mm_cma_alloc(x->mm, x->cpu, x->call->nr, x->call->order, &first))
		first = NULL;
	store_run(x, first);
}

/* All of it at once, if all of it is still the caller's and of one run. */
static void release_run(struct kernel_run *x)
{
	struct kernel_value *v = x->of;
	struct page *first = v->nr ? v->items[0].page : NULL;
	bool whole = first && !v->order;
	const char *why;

	if (!v->nr) {
		x->sum->nothing++;
		return;
	}
	for (uint64_t i = 0; i < v->nr && whole; i++)
		whole = v->items[i].page == first + i && kernel_may_free(x, first + i, 0, &why);
	x->sum->calls++;
	if (whole && x->call->what == KERNEL_CMA_RELEASE)
		whole = !mm_cma_release(x->mm, x->cpu, first, v->nr);
	else if (whole)
		mm_free_contig_range(x->mm, x->cpu, first, v->nr);
	for (uint64_t i = 0; i < v->nr && whole; i++)
		kernel_disown(x, first + i);
	if (whole)
		return;
	x->sum->failed++;
	mm_warn(x->mm, "%s of pfn 0x%" PRIx64 ": no %" PRIu64 " pages that were allocated so",
		kernel_do_name(x->call->what), mm_page_to_pfn(x->mm, MM_NO_CPU, first), v->nr);
}

static unsigned order_said(const struct kernel_run *x)
{
	return x->call->has_order ? x->call->order : x->of->order;
}

static bool free_one(struct kernel_run *x, struct kernel_item *i)
{
	unsigned order = order_said(x);
	const char *why;

	if (!kernel_may_free(x, i->page, order, &why)) {
		mm_warn(x->mm,
			"BUG: Bad page state: __free_pages of pfn 0x%" PRIx64 ", order %u: %s",
			mm_page_to_pfn(x->mm, MM_NO_CPU, i->page), order, why);
		return false;
	}
	kernel_disown(x, i->page);
	return !mm_free_pages(x->mm, x->cpu, i->page, order);
}

/* Each block's pages take its place. */
static void split(struct kernel_run *x)
{
	struct kernel_value *v = x->of, parts = *v;
	uint64_t nr = UINT64_C(1) << v->order;
	const char *why;

	x->sum->nothing += !v->nr;
	parts.nr = 0;
	parts.order = 0;
	parts.bytes = page_bytes(x);
	parts.items = calloc(v->nr * nr + 1, sizeof(*parts.items));
	for (uint64_t i = 0; i < v->nr && parts.items; i++) {
		struct page *page = v->items[i].page;

		x->sum->calls++;
		if (!kernel_may_free(x, page, v->order, &why) ||
		    mm_split_page(x->mm, x->cpu, page, 0)) {
			x->sum->failed++;
			mm_warn(x->mm, "split_page of pfn 0x%" PRIx64 ", order %u: %s",
				mm_page_to_pfn(x->mm, MM_NO_CPU, page), v->order, why);
			continue;
		}
		kernel_disown(x, page);
		for (uint64_t p = 0; p < nr; p++) {
			parts.items[parts.nr++].page = page + p;
			kernel_own(x, page + p, 0);
		}
	}
	if (!parts.nr) {
		free(parts.items);
		return;
	}
	free(v->items);
	*v = parts;
}

static bool get_one(struct kernel_run *x, struct kernel_value *v, struct kernel_item *i)
{
	struct mm_request req = request(x);
	struct page *page;
	int err;

	if (x->call->what == KERNEL_GET_ZEROED_PAGE)
		err = mm_get_zeroed_page(x->mm, &req, &i->at);
	else
		err = mm_get_free_pages(x->mm, &req, &i->at);
	if (err)
		return false;
	page = mm_virt_to_page(x->mm, MM_NO_CPU, i->at);
	return kernel_own(x, page, v->order);
}

static bool get_exact(struct kernel_run *x, struct kernel_value *v, struct kernel_item *i)
{
	struct mm_request req = request(x);

	if (mm_alloc_pages_exact(x->mm, &req, v->bytes, &i->at))
		return false;
	for (uint64_t p = 0; p < pages_of(x, v->bytes); p++)
		kernel_own(x, mm_virt_to_page(x->mm, MM_NO_CPU, i->at + p * page_bytes(x)), 0);
	return true;
}

/* Is there a block of that order at an address, that is the caller's? */
static bool owns_at(struct kernel_run *x, uint64_t at, unsigned order)
{
	struct page *page = mm_virt_to_page(x->mm, MM_NO_CPU, at);
	const char *why;

	return page && !(at % page_bytes(x)) && kernel_may_free(x, page, order, &why);
}

static bool free_at(struct kernel_run *x, struct kernel_item *i)
{
	uint64_t at = kernel_address(x, x->of, i) + x->call->offset;
	unsigned order = order_said(x);

	if (!owns_at(x, at, order)) {
		mm_warn(x->mm,
			"free_pages of 0x%" PRIx64 ": no block of order %u in use begins there", at,
			order);
		return false;
	}
	kernel_disown(x, mm_virt_to_page(x->mm, MM_NO_CPU, at));
	return !mm_free_pages_at(x->mm, x->cpu, at, order);
}

static bool free_exact(struct kernel_run *x, struct kernel_item *i)
{
	uint64_t at = kernel_address(x, x->of, i), nr = pages_of(x, x->of->bytes);

	for (uint64_t p = 0; p < nr; p++)
		if (!owns_at(x, at + p * page_bytes(x), 0)) {
			mm_warn(x->mm,
				"free_pages_exact of 0x%" PRIx64 ": page %" PRIu64
				" of it is not in use",
				at, p);
			return false;
		}
	for (uint64_t p = 0; p < nr; p++)
		kernel_disown(x, mm_virt_to_page(x->mm, MM_NO_CPU, at + p * page_bytes(x)));
	return !mm_free_pages_exact(x->mm, x->cpu, at, x->of->bytes);
}

/* The first page of an item, whatever it is. */
static struct page *page_of(struct kernel_run *x, const struct kernel_item *i)
{
	if (i->page)
		return i->page;
	if (x->of->kind == KERNEL_AREA)
		return mm_vmalloc_to_page(x->mm, x->cpu, i->at);
	return mm_virt_to_page(x->mm, x->cpu, kernel_address(x, x->of, i));
}

static bool dump_one(struct kernel_run *x, struct kernel_item *i)
{
	struct page *page = page_of(x, i);
	struct mm_page_info info;
	char text[256];
	pfn_t pfn = page ? mm_page_to_pfn(x->mm, MM_NO_CPU, page) : 0;

	if (!page || mm_page_info(x->mm, pfn, &info))
		return false;
	kernel_print(x, "%s", mm_page_info_counts(&info, pfn, text, sizeof(text)));
	kernel_print(x, "%s", mm_page_info_flags(x->mm, &info, text, sizeof(text)));
	return true;
}

/* High memory that is mapped nowhere has none. */
static bool address_of_one(struct kernel_run *x, struct kernel_item *i)
{
	uint64_t at = mm_page_address_of(x->mm, x->cpu, i->page);

	kernel_print(x, "page_address: pfn 0x%" PRIx64 " is at 0x%" PRIx64,
		     mm_page_to_pfn(x->mm, MM_NO_CPU, i->page), at);
	return at != 0;
}

void kernel_pages(struct kernel_run *x)
{
	struct kernel_value blocks = {.kind = KERNEL_PAGES,
				      .order = x->call->order,
				      .bytes = page_bytes(x) << x->call->order};

	switch (x->call->what) {
	case KERNEL_ALLOC_PAGES:
		kernel_make(x, blocks, alloc_one);
		break;
	case KERNEL_ALLOC_PAGES_BULK:
		alloc_bulk(x);
		break;
	case KERNEL_ALLOC_CONTIG_PAGES:
		alloc_contig(x);
		break;
	case KERNEL_CMA_ALLOC:
		cma_alloc(x);
		break;
	case KERNEL_CMA_RELEASE:
	case KERNEL_FREE_CONTIG_RANGE:
		release_run(x);
		break;
	case KERNEL___FREE_PAGES:
		kernel_each(x, free_one, true);
		break;
	case KERNEL_SPLIT_PAGE:
		split(x);
		break;
	case KERNEL_DUMP_PAGE:
		kernel_each(x, dump_one, false);
		break;
	case KERNEL_PAGE_ADDRESS:
		kernel_each(x, address_of_one, false);
		break;
	case KERNEL_GET_FREE_PAGES:
	case KERNEL_GET_ZEROED_PAGE:
		blocks.kind = KERNEL_LOWMEM;
		kernel_make(x, blocks, get_one);
		break;
	case KERNEL_ALLOC_PAGES_EXACT:
		kernel_make(x,
			    (struct kernel_value){.kind = KERNEL_LOWMEM, .bytes = x->call->bytes},
			    get_exact);
		break;
	case KERNEL_FREE_PAGES:
		kernel_each(x, free_at, true);
		break;
	default:
		kernel_each(x, free_exact, true);
	}
}
