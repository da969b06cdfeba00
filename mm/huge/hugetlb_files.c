/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of the pools under /sys/kernel/mm/hugepages and, of a node, /sys/devices/system/node,
 * by the names that mm_sysctl() gives them: "[nodeN/][hugepages-SIZEkB/]FILE", of the default size
 * where none is named. Follows Linux 6.1 mm/hugetlb.c (nr_hugepages_store_common, demote_store,
 * nr_overcommit_hugepages_store).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mm/huge/huge_pool.h"

enum file { NR_HUGEPAGES, NR_HUGEPAGES_MEMPOLICY, NR_OVERCOMMIT, DEMOTE, NR_FILES };

static const char *const files[NR_FILES] = {"nr_hugepages", "nr_hugepages_mempolicy",
					    "nr_overcommit_hugepages", "demote"};

struct name {
	uint64_t nid, kib;
	bool of_node, of_size;
	const char *file;
};

/* "PREFIXnumberREST": moves *text behind the number. */
static bool numbered(const char **text, const char *prefix, const char *behind, uint64_t *number)
{
	size_t len = strlen(prefix);
	char *end;

	if (strncmp(*text, prefix, len) != 0 || (*text)[len] < '0' || (*text)[len] > '9')
		return false;
	*number = strtoull(*text + len, &end, 10);
	if (strncmp(end, behind, strlen(behind)) != 0)
		return false;
	*text = end + strlen(behind);
	return true;
}

static void parse(const char *key, struct name *name)
{
	*name = (struct name){0};
	name->of_node = numbered(&key, "node", "/", &name->nid);
	name->of_size = numbered(&key, "hugepages-", "kB/", &name->kib);
	name->file = key;
}

/* As large as the kernel's own sysctl takes. */
static int read_count(const char *value, uint64_t *count, struct mm_refusal *r)
{
	const char *text = value + strspn(value, " \t");
	char *end;

	errno = 0;
	*count = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || errno || end[strspn(end, " \t\n")] || *count > INT32_MAX)
		return mm_refuse(r, MM_ABOUT_SYSCTL, 0,
				 "expected an integer from 0 to %d, found '%.60s'", INT32_MAX,
				 value);
	return 0;
}

static int set_overcommit(struct mm *mm, unsigned size, uint64_t count, struct mm_refusal *r)
{
	struct mm_hstate *h = &mm->hugetlb.sizes[size];

	if (mm_hugetlb_is_gigantic(h))
		return mm_refuse(r, MM_ABOUT_SYSCTL, 0,
				 "huge pages of 2^%u pages are never surplus: the kernel takes no "
				 "such number",
				 h->order);
	h->overcommit = count;
	return 0;
}

static int demote(struct mm *mm, unsigned size, int nid, uint64_t count, struct mm_refusal *r)
{
	if (mm_hugetlb_demote(mm, 0, size, nid, count) < 0)
		return mm_refuse(r, MM_ABOUT_SYSCTL, 0,
				 "there is no smaller size that huge pages of 2^%u pages could "
				 "become",
				 mm->hugetlb.sizes[size].order);
	return 0;
}

/* Which size the name is about; -ENOENT with *r filled. */
static int find_size(const struct mm *mm, const struct name *name, unsigned *size,
		     struct mm_refusal *r)
{
	int found = name->of_size && name->kib < UINT64_C(1) << 40
			    ? mm_hugetlb_find(mm, name->kib << 10)
			    : -1;

	*size = mm->hugetlb.by_default;
	if (!name->of_size)
		return 0;
	if (found < 0) {
		mm_refuse(r, MM_ABOUT_SYSCTL, 0, "there are no huge pages of %" PRIu64 " kB",
			  name->kib);
		return -ENOENT;
	}
	*size = (unsigned)found;
	return 0;
}

bool mm_hugetlb_is_file(const char *key)
{
	struct name name;

	parse(key, &name);
	if (name.of_node || name.of_size)
		return true;
	/* Those of /proc/sys/vm. */
	for (int f = 0; f < DEMOTE; f++)
		if (strcmp(key, files[f]) == 0)
			return true;
	return false;
}

int mm_hugetlb_write(struct mm *mm, const char *key, const char *value, struct mm_refusal *r)
{
	struct name name;
	uint64_t count;
	unsigned size;
	int file = 0, err, nid;

	parse(key, &name);
	while (file < NR_FILES && strcmp(name.file, files[file]) != 0)
		file++;
	/* A node has neither a policy of its own nor a bound of surplus. */
	if (file == NR_FILES || (name.of_node && file != NR_HUGEPAGES && file != DEMOTE)) {
		mm_refuse(r, MM_ABOUT_SYSCTL, 0, "unknown sysctl '%.60s'", key);
		return -ENOENT;
	}
	if (name.of_node && (name.nid >= (uint64_t)mm->nr_nodes || !mm->nodes[name.nid].present))
		return mm_refuse(r, MM_ABOUT_SYSCTL, 0,
				 "expected a node with memory, of %d nodes, found node %" PRIu64,
				 mm->nr_nodes, name.nid);
	err = find_size(mm, &name, &size, r);
	if (!err && value)
		err = read_count(value, &count, r);
	if (err || !value)
		return err;
	nid = name.of_node ? (int)name.nid : MM_NO_NODE;
	if (file == NR_OVERCOMMIT)
		return set_overcommit(mm, size, count, r);
	if (file == DEMOTE)
		return demote(mm, size, nid, count, r);
	mm_hugetlb_resize(mm, 0, size, nid, NULL, count);
	return 0;
}

uint64_t mm_hugetlb_read(const struct mm *mm, const char *key)
{
	const struct mm_hstate *h = &mm->hugetlb.sizes[mm->hugetlb.by_default];

	return strcmp(key, files[NR_OVERCOMMIT]) == 0 ? h->overcommit : h->wanted;
}
