/* SPDX-License-Identifier: Apache-2.0 */
/* A balanced tree of address ranges that know the largest below them. Knows no pages. */
#include "mm/vmalloc/vmap_tree.h"

#include <inttypes.h>
#include <stdio.h>

#include "mm/internal.h"

static void look_at(struct mm *mm, int cpu, const struct mm_vmap_area *area, enum mm_access how)
{
	mm_work(mm, cpu, MM_SITE_VMAP_STEP, 1);
	mm_touch(mm, cpu, area->object, MM_VMAP_AREA_BYTES, how);
}

static uint64_t bytes_of(const struct mm_vmap_area *area)
{
	return area->end - area->start;
}

static int height(const struct mm_vmap_area *area)
{
	return area ? area->height : 0;
}

static uint64_t max_bytes(const struct mm_vmap_area *area)
{
	return area ? area->max_bytes : 0;
}

static void update(struct mm_vmap_area *a)
{
	int left = height(a->left), right = height(a->right);
	uint64_t most = bytes_of(a);

	most = max_bytes(a->left) > most ? max_bytes(a->left) : most;
	most = max_bytes(a->right) > most ? max_bytes(a->right) : most;
	a->height = (left > right ? left : right) + 1;
	a->max_bytes = most;
}

static struct mm_vmap_area *rotate_right(struct mm_vmap_area *a)
{
	struct mm_vmap_area *top = a->left;

	a->left = top->right;
	top->right = a;
	update(a);
	update(top);
	return top;
}

static struct mm_vmap_area *rotate_left(struct mm_vmap_area *a)
{
	struct mm_vmap_area *top = a->right;

	a->right = top->left;
	top->left = a;
	update(a);
	update(top);
	return top;
}

static struct mm_vmap_area *balance(struct mm_vmap_area *a)
{
	int lean = height(a->left) - height(a->right);

	if (lean > 1) {
		if (height(a->left->left) < height(a->left->right))
			a->left = rotate_left(a->left);
		return rotate_right(a);
	}
	if (lean < -1) {
		if (height(a->right->right) < height(a->right->left))
			a->right = rotate_right(a->right);
		return rotate_left(a);
	}
	update(a);
	return a;
}

/* What a tree is edited by. */
struct edit {
	struct mm *mm;
	int cpu;
};

static struct mm_vmap_area *insert(const struct edit *e, struct mm_vmap_area *at,
				   struct mm_vmap_area *area)
{
	if (!at) {
		area->left = area->right = NULL;
		update(area);
		look_at(e->mm, e->cpu, area, MM_WRITE);
		return area;
	}
	look_at(e->mm, e->cpu, at, MM_WRITE);
	if (area->start < at->start)
		at->left = insert(e, at->left, area);
	else
		at->right = insert(e, at->right, area);
	return balance(at);
}

/* Takes the lowest area out of a subtree. */
static struct mm_vmap_area *remove_lowest(const struct edit *e, struct mm_vmap_area *at,
					  struct mm_vmap_area **lowest)
{
	look_at(e->mm, e->cpu, at, MM_WRITE);
	if (!at->left) {
		*lowest = at;
		return at->right;
	}
	at->left = remove_lowest(e, at->left, lowest);
	return balance(at);
}

static struct mm_vmap_area *remove_from(const struct edit *e, struct mm_vmap_area *at,
					const struct mm_vmap_area *area)
{
	struct mm_vmap_area *next, *right;

	look_at(e->mm, e->cpu, at, MM_WRITE);
	if (area->start < at->start) {
		at->left = remove_from(e, at->left, area);
		return balance(at);
	}
	if (area != at) {
		at->right = remove_from(e, at->right, area);
		return balance(at);
	}
	if (!at->left || !at->right)
		return at->left ? at->left : at->right;
	right = remove_lowest(e, at->right, &next);
	next->left = at->left;
	next->right = right;
	return balance(next);
}

/* Its ends have changed: what those above it know of it, too. */
static void update_above(const struct edit *e, struct mm_vmap_area *at,
			 const struct mm_vmap_area *area, uint64_t key)
{
	look_at(e->mm, e->cpu, at, MM_WRITE);
	if (at != area)
		update_above(e, key < at->start ? at->left : at->right, area, key);
	update(at);
}

void mm_vmap_insert(struct mm *mm, int cpu, struct mm_vmap_tree *tree, struct mm_vmap_area *area)
{
	tree->root = insert(&(struct edit){mm, cpu}, tree->root, area);
	tree->nr++;
}

void mm_vmap_remove(struct mm *mm, int cpu, struct mm_vmap_tree *tree, struct mm_vmap_area *area)
{
	tree->root = remove_from(&(struct edit){mm, cpu}, tree->root, area);
	tree->nr--;
}

void mm_vmap_resize(struct mm *mm, int cpu, struct mm_vmap_tree *tree, struct mm_vmap_area *area,
		    uint64_t start, uint64_t end)
{
	area->start = start;
	area->end = end;
	update_above(&(struct edit){mm, cpu}, tree->root, area, start);
}

struct mm_vmap_area *mm_vmap_find(struct mm *mm, int cpu, const struct mm_vmap_tree *tree,
				  uint64_t address)
{
	struct mm_vmap_area *at = tree->root;

	while (at) {
		look_at(mm, cpu, at, MM_READ);
		if (address >= at->start && address < at->end)
			return at;
		at = address < at->start ? at->left : at->right;
	}
	return NULL;
}

struct mm_vmap_area *mm_vmap_from(const struct mm_vmap_tree *tree, uint64_t address)
{
	struct mm_vmap_area *at = tree->root, *best = NULL;

	while (at) {
		if (at->end > address) {
			best = at;
			at = at->left;
		} else {
			at = at->right;
		}
	}
	return best;
}

static bool fits(const struct mm_vmap_area *area, uint64_t bytes, uint64_t align)
{
	uint64_t start = (area->start + align - 1) & ~(align - 1);

	return start >= area->start && start <= area->end && area->end - start >= bytes;
}

/*
 * As find_vmap_lowest_match(): what is larger than a page is looked for with as much more as its
 * alignment may cost, unless it happens to fit where the way leads past.
 */
struct mm_vmap_area *mm_vmap_lowest_fit(struct mm *mm, int cpu, const struct mm_vmap_tree *tree,
					uint64_t bytes, uint64_t align)
{
	uint64_t page = UINT64_C(1) << mm->arch->page_shift;
	uint64_t wanted = align > page ? bytes + align - 1 : bytes;
	struct mm_vmap_area *at = tree->root;

	if (wanted < bytes)
		return NULL;
	while (at) {
		look_at(mm, cpu, at, MM_READ);
		if (max_bytes(at->left) >= wanted)
			at = at->left;
		else if (fits(at, bytes, align))
			return at;
		else
			at = max_bytes(at->right) >= wanted ? at->right : NULL;
	}
	return NULL;
}

/* The last area that begins below the address. */
static struct mm_vmap_area *last_below(struct mm *mm, int cpu, const struct mm_vmap_tree *tree,
				       uint64_t address)
{
	struct mm_vmap_area *at = tree->root, *best = NULL;

	while (at) {
		look_at(mm, cpu, at, MM_READ);
		if (at->start < address) {
			best = at;
			at = at->right;
		} else {
			at = at->left;
		}
	}
	return best;
}

struct mm_vmap_area *mm_vmap_merge(struct mm *mm, int cpu, struct mm_vmap_tree *tree,
				   struct mm_vmap_area *area)
{
	struct mm_vmap_area *below = last_below(mm, cpu, tree, area->start);
	struct mm_vmap_area *above = mm_vmap_from(tree, area->end), *gone = NULL;

	if (above && above->start != area->end)
		above = NULL;
	if (below && below->end == area->start) {
		uint64_t end = above ? above->end : area->end;

		area->right = NULL;
		gone = area;
		if (above) {
			mm_vmap_remove(mm, cpu, tree, above);
			above->right = gone;
			gone = above;
		}
		mm_vmap_resize(mm, cpu, tree, below, below->start, end);
	} else if (above) {
		area->right = NULL;
		gone = area;
		mm_vmap_resize(mm, cpu, tree, above, area->start, above->end);
	} else {
		mm_vmap_insert(mm, cpu, tree, area);
	}
	return gone;
}

/* One way through a tree, in order of address. */
struct check {
	bool may_touch;
	const struct mm_vmap_area *last;
	uint64_t nr, bytes;
	char *why;
	size_t size;
};

static bool holds(struct check *c, const struct mm_vmap_area *a)
{
	struct mm_vmap_area same;
	int lean;

	if (!a)
		return true;
	if (!holds(c, a->left))
		return false;
	same = *a;
	update(&same);
	lean = height(a->left) - height(a->right);
	if (a->start >= a->end || (c->last && a->start < c->last->end) ||
	    (c->last && !c->may_touch && a->start == c->last->end)) {
		snprintf(c->why, c->size,
			 "vmalloc: area 0x%" PRIx64 "-0x%" PRIx64 " overlaps or touches another",
			 a->start, a->end);
		return false;
	}
	if (same.height != a->height || same.max_bytes != a->max_bytes || lean > 1 || lean < -1) {
		snprintf(c->why, c->size,
			 "vmalloc: area 0x%" PRIx64 "-0x%" PRIx64 ": of height %d, largest %" PRIu64
			 ", computed %d and %" PRIu64,
			 a->start, a->end, a->height, a->max_bytes, same.height, same.max_bytes);
		return false;
	}
	c->last = a;
	c->nr++;
	c->bytes += bytes_of(a);
	return holds(c, a->right);
}

bool mm_vmap_tree_holds(const struct mm_vmap_tree *tree, bool may_touch, uint64_t *bytes, char *why,
			size_t size)
{
	struct check c = {.may_touch = may_touch, .why = why, .size = size};

	*bytes = 0;
	if (!holds(&c, tree->root))
		return false;
	*bytes = c.bytes;
	if (c.nr == tree->nr)
		return true;
	snprintf(why, size, "vmalloc: %" PRIu64 " areas in a tree, %" PRIu64 " counted", c.nr,
		 tree->nr);
	return false;
}
