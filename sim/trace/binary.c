/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of binary traces that are small: headers of sections, templates, numbers and texts, and
 * which pages are held as the events go by.
 */
#include "sim/trace/binary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* In struct binary_pages: a slab object; frames of the CMA area, plus trace_cma_order(). */
#define HELD_OBJECT UINT8_MAX
#define HELD_CMA    128

uint32_t binary_crc(uint32_t crc, const void *data, size_t len)
{
	return (uint32_t)crc32_z(crc, data, len);
}

void binary_put_section(uint8_t to[BINARY_SECTION_BYTES], struct binary_section *s,
			uint32_t check_before)
{
	memcpy(to, s->kind, BINARY_KIND_BYTES);
	binary_put32(to + 4, s->encoding);
	binary_put32(to + 8, s->stored);
	binary_put32(to + 12, s->raw);
	binary_put32(to + 16, s->payload_crc);
	s->check = binary_crc(check_before, to, BINARY_SECTION_BYTES - 4);
	binary_put32(to + 20, s->check);
}

bool binary_get_section(const uint8_t from[BINARY_SECTION_BYTES], struct binary_section *s,
			uint32_t check_before)
{
	memcpy(s->kind, from, BINARY_KIND_BYTES);
	s->kind[BINARY_KIND_BYTES] = 0;
	s->encoding = binary_get32(from + 4);
	s->stored = binary_get32(from + 8);
	s->raw = binary_get32(from + 12);
	s->payload_crc = binary_get32(from + 16);
	s->check = binary_get32(from + 20);
	return s->check == binary_crc(check_before, from, BINARY_SECTION_BYTES - 4);
}

/* Operations that came later have numbers of their own in files. */
static const struct {
	uint8_t op, code;
} codes[] = {{TRACE_KMALLOC, 64}, {TRACE_CACHE_ALLOC, 65}, {TRACE_OBJECT_FREE, 66},
	     {TRACE_HOTPLUG, 67}, {TRACE_CMA_ALLOC, 68},   {TRACE_CMA_RELEASE, 69}};

#define NR_CODES (sizeof(codes) / sizeof(codes[0]))

static uint8_t code_of(uint8_t op)
{
	for (size_t i = 0; i < NR_CODES; i++)
		if (codes[i].op == op)
			return codes[i].code;
	return op;
}

/* False where no operation has that number in files. */
static bool op_of(uint8_t code, uint8_t *op)
{
	*op = code;
	for (size_t i = 0; i < NR_CODES; i++)
		if (codes[i].code == code)
			*op = codes[i].op;
	return code <= TRACE_SPLIT || *op != code;
}

void binary_put_template(uint8_t to[BINARY_TEMPLATE_BYTES], const struct trace_event *ev)
{
	to[0] = code_of(ev->op);
	to[1] = ev->order;
	to[2] = ev->migratetype;
	to[3] = (uint8_t)(ev->flags << 1 | ev->write);
	binary_put32(to + 4, ev->gfp);
	to[8] = (uint8_t)ev->cpu;
	to[9] = (uint8_t)(ev->cpu >> 8);
	to[10] = (uint8_t)ev->policy;
	to[11] = (uint8_t)(ev->policy >> 8);
	binary_put32(to + 12, binary_has_amount(ev) ? 0 : ev->bytes);
}

/* What only some operations have is zero for the others. */
static const char *surplus(const struct trace_event *ev)
{
	bool alloc = ev->op == TRACE_ALLOC;
	bool object = ev->op == TRACE_KMALLOC || ev->op == TRACE_CACHE_ALLOC;
	gfp_t gfp = ev->op == TRACE_CMA_ALLOC ? 0 : ev->gfp; /* else its alignment is there */
	bool ordered =
		alloc || ev->op == TRACE_FREE || ev->op == TRACE_FREE_HELD || ev->op == TRACE_SPLIT;
	unsigned flags = alloc ? TRACE_F_FAILED | TRACE_F_MIGRATE | TRACE_F_INFERRED |
					 TRACE_F_SLAB | TRACE_F_RECLAIM | TRACE_F_KSWAPD
			       : 0;

	if (ev->op == TRACE_FREE || ev->op == TRACE_FREE_HELD)
		flags = TRACE_F_RECLAIM | TRACE_F_KSWAPD | TRACE_F_INFERRED;
	if (ev->op == TRACE_SPLIT || ev->op == TRACE_OBJECT_FREE || ev->op == TRACE_CMA_RELEASE)
		flags = TRACE_F_INFERRED;
	if (object)
		flags = TRACE_F_FAILED | TRACE_F_ON_NODE;
	if (ev->op == TRACE_CMA_ALLOC)
		flags = TRACE_F_FAILED;
	if ((ev->flags & TRACE_F_ON_NODE) && ev->policy >= MM_MAX_NODES)
		return "has too large a node";
	if (ev->op == TRACE_CMA_ALLOC && ev->align > TRACE_MAX_CMA_ALIGN)
		return "has too large an alignment";
	if (!alloc && ((!object && (gfp || ev->policy)) || ev->migratetype))
		return "has flags of an allocation and is none";
	if (!ordered && ev->order)
		return "has an order, which its operation does not have";
	if (ev->op != TRACE_TOUCH && ev->write)
		return "writes and is no touch";
	if ((ev->flags & TRACE_F_KSWAPD) && !(ev->flags & TRACE_F_RECLAIM))
		return "is by kswapd and is no reclaim";
	if (ev->flags & ~flags)
		return "has a flag that its operation does not have";
	if (ev->bytes && (!alloc || ev->policy))
		return "has a node, which its operation does not have";
	return NULL;
}

const char *binary_get_template(const uint8_t from[BINARY_TEMPLATE_BYTES], struct trace_event *ev)
{
	*ev = (struct trace_event){
		.op = from[0],
		.order = from[1],
		.migratetype = from[2],
		.write = from[3] & 1,
		.flags = from[3] >> 1 & 0x7f,
		.gfp = binary_get32(from + 4),
		.cpu = (uint16_t)(from[8] | from[9] << 8),
		.policy = (uint16_t)(from[10] | from[11] << 8),
		.bytes = binary_get32(from + 12),
	};
	if (!op_of(from[0], &ev->op))
		return "is of an unknown operation";
	if (ev->order > MAX_PAGE_ORDER)
		return "has too large an order";
	if (ev->migratetype >= MM_NR_PCPTYPES)
		return "has an unknown mobility";
	if (ev->cpu >= MM_MAX_CPUS)
		return "has too large a CPU";
	if (ev->bytes > MM_MAX_NODES)
		return "has too large a node";
	if (!binary_numbers_page(ev) && !binary_names_page(ev))
		ev->page = TRACE_NO_PAGE;
	return surplus(ev);
}

uint64_t binary_get_number(struct binary_cursor *c)
{
	uint64_t n = 0;

	for (unsigned shift = 0; c->at < c->end && !c->bad; shift += 7) {
		uint8_t byte = *c->at++;

		if (shift == 63 && byte > 1)
			break;
		n |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return n;
	}
	c->bad = true;
	return 0;
}

const char *binary_get_text(struct binary_cursor *c, size_t *len)
{
	uint64_t n = binary_get_number(c);
	const char *text = (const char *)c->at;

	if (c->bad || n > BINARY_MAX_TEXT || n > (uint64_t)(c->end - c->at)) {
		c->bad = true;
		n = 0;
		text = "";
	}
	c->at += n;
	if (len)
		*len = n;
	return text;
}

int binary_pages_reserve(struct binary_pages *p, size_t nr)
{
	size_t room = p->room ? p->room : 4096;
	uint8_t *grown;

	if (nr <= p->room)
		return 0;
	while (room < nr)
		room *= 2;
	grown = realloc(p->held, room);
	if (!grown)
		return -ENOMEM;
	p->held = grown;
	p->room = room;
	return 0;
}

void binary_pages_clear(struct binary_pages *p)
{
	free(p->held);
	*p = (struct binary_pages){0};
}

/* Of a page or of frames of the CMA area. */
static unsigned touch_order(uint8_t held)
{
	return held < HELD_CMA ? held - 1u : held - (unsigned)HELD_CMA;
}

const char *binary_pages_step(struct binary_pages *p, const struct trace_event *ev)
{
	/* The smallest page there is: what is right for it is right on every machine. */
	const uint64_t page_bytes = 4096;

	switch ((enum trace_op)ev->op) {
	case TRACE_ALLOC:
		if (ev->page != TRACE_NO_PAGE)
			p->held[ev->page] = ev->order + 1;
		return NULL;
	case TRACE_FREE_HELD:
		p->held[ev->page] = 0;
		return NULL;
	case TRACE_KMALLOC:
	case TRACE_CACHE_ALLOC:
		if (ev->bytes > TRACE_MAX_OBJECT)
			return "allocates too much at once";
		if (ev->page != TRACE_NO_PAGE)
			p->held[ev->page] = HELD_OBJECT;
		return NULL;
	case TRACE_OBJECT_FREE:
		if (p->held[ev->page] != HELD_OBJECT)
			return "frees a slab object that is not allocated";
		p->held[ev->page] = 0;
		return NULL;
	case TRACE_CMA_ALLOC:
		if (!ev->bytes || ev->bytes > TRACE_MAX_CMA)
			return "allocates no frames, or too many";
		if (ev->page != TRACE_NO_PAGE)
			p->held[ev->page] = (uint8_t)(HELD_CMA + trace_cma_order(ev->bytes));
		return NULL;
	case TRACE_CMA_RELEASE:
		if (p->held[ev->page] < HELD_CMA || p->held[ev->page] == HELD_OBJECT)
			return "releases frames of the CMA area that are not allocated";
		p->held[ev->page] = 0;
		return NULL;
	case TRACE_FREE:
		if (!p->held[ev->page])
			return "frees a page that is not allocated";
		if (p->held[ev->page] != ev->order + 1)
			return "frees a page of another order than it was allocated with";
		p->held[ev->page] = 0;
		return NULL;
	case TRACE_TOUCH:
		if (!p->held[ev->page])
			return "touches a page that is not allocated";
		if (p->held[ev->page] == HELD_OBJECT && ev->bytes)
			return NULL;
		if (!ev->bytes || p->held[ev->page] == HELD_OBJECT ||
		    ev->bytes > page_bytes << touch_order(p->held[ev->page]))
			return "touches nothing, or more than the page has";
		return NULL;
	case TRACE_SPLIT:
		if (ev->bytes >= ev->page || p->held[ev->bytes] != ev->order + 2)
			return "splits what is no page of twice the size";
		p->held[ev->bytes] = p->held[ev->page] = ev->order + 1;
		return NULL;
	case TRACE_WAIT:
	case TRACE_HOTPLUG:
		return NULL;
	case TRACE_FILE:
	case TRACE_VMALLOC:
	case TRACE_VFREE:
	case TRACE_KMAP:
	case TRACE_KUNMAP:
	case TRACE_STEP:
	case TRACE_CALL:
		break; /* no file has them */
	}
	return "is of an unknown operation";
}
