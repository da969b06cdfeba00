/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dentries and inodes of directories, as caches that shrink. Follows Linux 6.1 fs/super.c
 * (super_cache_count, super_cache_scan), fs/dcache.c (retain_dentry, dentry_lru_isolate) and
 * fs/inode.c (inode_lru_isolate): the first use puts an object on its node's list, a second one
 * marks it, and what is marked goes round once more.
 *
 * Not there: paths of several names, negative dentries, and that inodes with pages of their own
 * stay. The locks of the lists are charged and not waited for, as no time passes in what they
 * guard.
 */
#include "mm/slab/dcache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/gfp.h"
#include "mm/internal.h"
#include "mm/reclaim/shrinker.h"
#include "mm/slab/slab.h"

#define NONE         UINT32_MAX
#define MAX_FILES    (UINT32_MAX - 1)
#define LOOKUP_BYTES 64 /* of an object that is found: what a look-up or a stat reads */
#define SUPER_BATCH  1024

enum kind { DENTRY, INODE, NR_KINDS };

struct item {
	phys_addr_t at;      /* 0: it is not there */
	uint32_t prev, next; /* on the list */
	uint16_t nid;        /* whose */
	bool listed, marked;
	uint16_t users; /* of an inode: its dentry, and those who make one */
};

struct list {
	uint32_t head, tail; /* oldest first */
	uint64_t nr;
};

struct mm_directory {
	char *name;
	uint64_t files;
	struct item *items[NR_KINDS]; /* by file */
	struct list *lists[NR_KINDS]; /* by node */
	struct mm_kmem_cache *caches[NR_KINDS];
	uint64_t nr[NR_KINDS];
	struct mm_shrinker shrinker;
	struct mm_directory *next;
};

static void list_edit(struct mm *mm, int cpu, const struct item *item)
{
	mm_work(mm, cpu, MM_SITE_LOCK, 1);
	mm_touch(mm, cpu, item->at, LOOKUP_BYTES, MM_WRITE);
}

static void list_del(struct mm *mm, int cpu, struct mm_directory *d, enum kind k, uint32_t file)
{
	struct item *item = &d->items[k][file];
	struct list *list = &d->lists[k][item->nid];

	*(item->prev == NONE ? &list->head : &d->items[k][item->prev].next) = item->next;
	*(item->next == NONE ? &list->tail : &d->items[k][item->next].prev) = item->prev;
	list->nr--;
	item->listed = false;
	list_edit(mm, cpu, item);
}

static void list_add(struct mm *mm, int cpu, struct mm_directory *d, enum kind k, uint32_t file)
{
	struct item *item = &d->items[k][file];
	struct list *list = &d->lists[k][item->nid];

	item->prev = list->tail;
	item->next = NONE;
	*(list->tail == NONE ? &list->head : &d->items[k][list->tail].next) = file;
	list->tail = file;
	list->nr++;
	item->listed = true;
	list_edit(mm, cpu, item);
}

/* Its last user is gone. */
static void release(struct mm *mm, int cpu, struct mm_directory *d, enum kind k, uint32_t file)
{
	struct item *item = &d->items[k][file];

	if (!item->listed)
		list_add(mm, cpu, d, k, file);
	else
		item->marked = true;
}

static void give(struct mm *mm, int cpu, struct mm_directory *d, enum kind k, uint32_t file)
{
	struct item *item = &d->items[k][file], *inode = &d->items[INODE][file];
	phys_addr_t at = item->at;

	item->at = 0;
	item->marked = false;
	d->nr[k]--;
	if (k == DENTRY && !--inode->users)
		release(mm, cpu, d, INODE, file);
	mm_kmem_cache_free(mm, cpu, d->caches[k], at);
}

/* Look at the oldest `nr` of a node. Returns how many are free now. */
static uint64_t prune(struct mm *mm, int cpu, struct mm_directory *d, enum kind k, int nid,
		      uint64_t nr)
{
	struct list *list = &d->lists[k][nid];
	uint64_t freed = 0;

	while (nr-- && list->head != NONE) {
		uint32_t file = list->head;
		struct item *item = &d->items[k][file];

		list_del(mm, cpu, d, k, file);
		if (item->users) {
			continue; /* it comes back with its last user */
		} else if (item->marked) {
			item->marked = false;
			list_add(mm, cpu, d, k, file);
		} else {
			give(mm, cpu, d, k, file);
			freed++;
		}
	}
	return freed;
}

static uint64_t count(const struct mm *mm, const struct mm_shrinker *s, int nid)
{
	const struct mm_directory *d = s->arg;
	uint64_t objects = d->lists[DENTRY][nid].nr + d->lists[INODE][nid].nr;

	return objects * mm->params.vfs_cache_pressure / 100;
}

/* In proportion to what there is of both. */
static uint64_t scan(struct mm *mm, int cpu, struct mm_shrinker *s, int nid, uint64_t nr)
{
	struct mm_directory *d = s->arg;
	uint64_t dentries = d->lists[DENTRY][nid].nr, inodes = d->lists[INODE][nid].nr;
	uint64_t all = dentries + inodes + 1;

	dentries = nr * dentries / all;
	inodes = nr * inodes / all;
	return prune(mm, cpu, d, DENTRY, nid, dentries + 1) +
	       prune(mm, cpu, d, INODE, nid, inodes + 1);
}

/* The kernel's caches of that name; made where its profile has none. Sizes are 6.1's, 64 bits. */
static int find_caches(struct mm *mm, struct mm_directory *d)
{
	static const struct mm_cache_args args[NR_KINDS] = {
		[DENTRY] = {.name = "dentry", .size = 192, .flags = MM_SLAB_RECLAIM_ACCOUNT},
		[INODE] = {.name = "ext4_inode_cache",
			   .size = 1192,
			   .flags = MM_SLAB_RECLAIM_ACCOUNT},
	};
	int err = mm_slab_start(mm);

	for (int k = 0; k < NR_KINDS && !err; k++) {
		d->caches[k] = mm_slab_find(mm, args[k].name);
		if (!d->caches[k])
			err = mm_kmem_cache_create_at_boot(mm, &args[k], &d->caches[k]);
	}
	return err;
}

static void free_directory(struct mm_directory *d)
{
	for (int k = 0; k < NR_KINDS; k++) {
		free(d->items[k]);
		free(d->lists[k]);
	}
	free(d->name);
	free(d);
}

static struct mm_directory *make(struct mm *mm, const char *name, uint64_t files)
{
	struct mm_directory *d = calloc(1, sizeof(*d));
	bool good = d && files && files <= MAX_FILES;

	if (d)
		d->files = files;
	if (good)
		good = (d->name = strdup(name)) != NULL;
	for (int k = 0; k < NR_KINDS && good; k++) {
		d->items[k] = calloc(files, sizeof(*d->items[k]));
		d->lists[k] = calloc((size_t)mm->nr_nodes, sizeof(*d->lists[k]));
		good = d->items[k] && d->lists[k];
		for (int n = 0; n < mm->nr_nodes && good; n++)
			d->lists[k][n] = (struct list){.head = NONE, .tail = NONE};
	}
	if (good) {
		d->shrinker = (struct mm_shrinker){.count = count,
						   .scan = scan,
						   .arg = d,
						   .batch = SUPER_BATCH,
						   .needs = __GFP_FS};
		good = !find_caches(mm, d) && !mm_register_shrinker(mm, &d->shrinker);
	}
	if (!good && d) {
		free_directory(d);
		return NULL;
	}
	return d;
}

struct mm_directory *mm_directory_open(struct mm *mm, const char *name, uint64_t files)
{
	struct mm_directory **link = &mm->directories;

	while (*link && strcmp((*link)->name, name) != 0)
		link = &(*link)->next;
	if (!*link)
		*link = make(mm, name, files);
	return *link && (*link)->files == files ? *link : NULL;
}

/* A new object, all of it written; another CPU may have been first. Is it this one's? Or -ENOMEM.
 */
static int fill(struct mm *mm, int cpu, struct mm_directory *d, enum kind k, uint32_t file)
{
	const struct mm_slab_request req = {
		.cpu = cpu, .gfp = k == INODE ? GFP_NOFS : GFP_KERNEL, .nid = MM_NO_NODE};
	struct item *item = &d->items[k][file];
	phys_addr_t at;

	if (mm_kmem_cache_alloc(mm, d->caches[k], &req, &at))
		return -ENOMEM;
	if (item->at) {
		mm_kmem_cache_free(mm, cpu, d->caches[k], at);
		return 0;
	}
	mm_touch(mm, cpu, at, mm_ksize(mm, at), MM_WRITE);
	item->at = at;
	item->nid = (uint16_t)mm_page_to_nid(
		mm, mm->model->pfn_to_page(mm, MM_NO_CPU, at >> mm->arch->page_shift));
	d->nr[k]++;
	return 1;
}

/* The inode is held meanwhile, and then by its dentry. */
static int make_missing(struct mm *mm, int cpu, struct mm_directory *d, uint32_t file)
{
	struct item *inode = &d->items[INODE][file], *dentry = &d->items[DENTRY][file];
	int result = inode->at ? MM_STAT_INODE : MM_STAT_MISS, made = 0;

	inode->users++;
	if (!inode->at)
		made = fill(mm, cpu, d, INODE, file);
	if (made >= 0 && !dentry->at)
		made = fill(mm, cpu, d, DENTRY, file);
	else
		made = made < 0 ? made : 0;
	inode->users += made > 0;
	if (!--inode->users && inode->at)
		release(mm, cpu, d, INODE, file);
	return made < 0 ? made : result;
}

int mm_directory_stat(struct mm *mm, int cpu, struct mm_directory *d, uint64_t file)
{
	const struct item *inode = d->items[INODE] + file, *dentry = d->items[DENTRY] + file;
	int result = MM_STAT_HIT;

	if (file >= d->files)
		return -EINVAL;
	mm_work(mm, cpu, MM_SITE_SYSCALL, 1);
	if (!dentry->at)
		result = make_missing(mm, cpu, d, (uint32_t)file);
	if (result < 0 || !dentry->at)
		return result;
	mm_touch(mm, cpu, dentry->at, LOOKUP_BYTES, MM_READ);
	mm_touch(mm, cpu, inode->at, LOOKUP_BYTES, MM_READ);
	release(mm, cpu, d, DENTRY, (uint32_t)file);
	return result;
}

void mm_directory_clear(struct mm *mm, int cpu, struct mm_directory *d)
{
	for (int k = 0; k < NR_KINDS; k++)
		for (uint32_t file = 0; file < d->files; file++) {
			const struct item *item = &d->items[k][file];

			if (!item->at || (k == INODE && item->users))
				continue;
			if (item->listed)
				list_del(mm, cpu, d, (enum kind)k, file);
			give(mm, cpu, d, (enum kind)k, file);
		}
}

void mm_directory_info(const struct mm_directory *d, uint64_t *dentries, uint64_t *inodes)
{
	*dentries = d->nr[DENTRY];
	*inodes = d->nr[INODE];
}

void mm_dcache_destroy(struct mm *mm)
{
	while (mm->directories) {
		struct mm_directory *d = mm->directories;

		mm->directories = d->next;
		mm_unregister_shrinker(mm, &d->shrinker);
		free_directory(d);
	}
}

/* Each that is listed is there, on its node's list, and once; each inode has its users. */
static bool is_right(const struct mm *mm, const struct mm_directory *d, enum kind k)
{
	uint64_t there = 0, listed = 0, linked = 0;

	for (uint64_t file = 0; file < d->files; file++) {
		const struct item *item = &d->items[k][file];

		there += item->at != 0;
		listed += item->listed;
		if ((item->listed && !item->at) ||
		    (k == INODE && d->items[DENTRY][file].at && !(item->at && item->users)))
			return false;
	}
	for (int n = 0; n < mm->nr_nodes; n++) {
		const struct list *list = &d->lists[k][n];

		linked += list->nr;
		for (uint32_t i = list->head; i != NONE; i = d->items[k][i].next, listed--)
			if (!listed || !d->items[k][i].listed || d->items[k][i].nid != n)
				return false;
	}
	return listed == 0 && there == d->nr[k] && linked <= there;
}

int mm_dcache_verify(const struct mm *mm, char *why, size_t size)
{
	for (const struct mm_directory *d = mm->directories; d; d = d->next)
		for (int k = 0; k < NR_KINDS; k++)
			if (!is_right(mm, d, (enum kind)k)) {
				snprintf(why, size, "%s: its lists of %s are wrong", d->name,
					 k == DENTRY ? "dentries" : "inodes");
				return -EINVAL;
			}
	return 0;
}
