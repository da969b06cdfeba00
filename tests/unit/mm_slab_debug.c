/* SPDX-License-Identifier: Apache-2.0 */
/* slub_debug: what it finds, and what it says of it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../mm_fixture.h"
#include "mm/gfp.h"
#include "mm/slab/slub.h"

static struct mm *boot_debug(unsigned flags)
{
	return boot(
		&(struct machine){.memory = {{0, 64 * MiB, 0}}, .cpus = {2}, .slab_debug = flags});
}

static phys_addr_t kmalloc(struct mm *mm, uint64_t bytes)
{
	struct mm_slab_request req = {.gfp = GFP_KERNEL, .nid = MM_NO_NODE};
	phys_addr_t object;

	cr_assert_eq(mm_kmalloc(mm, bytes, &req, &object), 0);
	return object;
}

static void expect_report(const struct mm *mm, unsigned i, const char *part)
{
	const char *text = mm_slab_report(mm, i);

	cr_assert(text, "no report");
	cr_expect(strstr(text, part), "'%s' is not in '%s'", part, text);
}

Test(slab_debug, a_double_free_is_found)
{
	struct mm *mm = boot_debug(MM_SLAB_CONSISTENCY);
	phys_addr_t object = kmalloc(mm, 64);

	cr_assert_eq(mm_kfree(mm, 0, object), 0);
	cr_assert_eq(mm_kfree(mm, 1, object), -EINVAL);
	expect_report(mm, 0, "of kmalloc-64 already free");
	must_verify(mm, "after a double free");
	mm_destroy(mm);
}

/* Without debugging it does no harm either, but nobody says anything. */
Test(slab_debug, without_debugging_a_double_free_is_refused_in_silence)
{
	struct mm *mm = boot_debug(0);
	phys_addr_t object = kmalloc(mm, 64);

	cr_assert_eq(mm_kfree(mm, 0, object), 0);
	cr_assert_eq(mm_kfree(mm, 0, object), -EINVAL);
	cr_expect_eq(mm_slab_nr_reports(mm), 0);
	must_verify(mm, "after a double free");
	mm_destroy(mm);
}

Test(slab_debug, foreign_pointers_are_found)
{
	struct mm *mm = boot_debug(MM_SLAB_CONSISTENCY);
	struct mm_kmem_cache *other = mm_slab_find(mm, "kmalloc-128");
	phys_addr_t object = kmalloc(mm, 64);

	cr_expect_eq(mm_kfree(mm, 0, 32 * MiB), -EINVAL);
	expect_report(mm, 0, "its page is not a slab's");
	cr_expect_eq(mm_kfree(mm, 0, object + 8), -EINVAL);
	expect_report(mm, 1, "invalid object pointer");
	other = mm_slab_find(mm, "kmalloc-128");
	cr_expect_eq(mm_kmem_cache_free(mm, 0, other, object), -EINVAL);
	expect_report(mm, 2, "wrong slab cache: kmalloc-128, but object");
	cr_expect_eq(mm_kfree(mm, 0, object), 0);
	mm_destroy(mm);
}

Test(slab_debug, overruns_of_red_zones_are_found)
{
	struct mm *mm = boot_debug(MM_SLAB_CONSISTENCY | MM_SLAB_RED_ZONE);
	phys_addr_t right = kmalloc(mm, 64), left = kmalloc(mm, 64), good = kmalloc(mm, 64);

	mm_slab_store(mm, 0, right, 64);
	mm_slab_store(mm, 0, good, 64);
	cr_expect_eq(mm_slab_validate(mm, 0, mm_slab_find(mm, "kmalloc-64")), 0);
	mm_slab_store(mm, 0, right + 60, 5); /* one byte too far */
	mm_slab_store(mm, 0, left - 1, 1);
	cr_expect_eq(mm_kfree(mm, 0, right), 0);
	expect_report(mm, 0, "BUG kmalloc-64: right redzone overwritten");
	cr_expect_eq(mm_kfree(mm, 0, left), 0);
	expect_report(mm, 1, "BUG kmalloc-64: left redzone overwritten");
	cr_expect_eq(mm_kfree(mm, 0, good), 0);
	cr_expect_eq(mm_slab_nr_reports(mm), 2);
	must_verify(mm, "with a slab that was given up");
	mm_destroy(mm);
}

/* Without a red zone the same store is in the neighbour, and nobody notices. */
Test(slab_debug, without_red_zones_overruns_are_not_found)
{
	struct mm *mm = boot_debug(MM_SLAB_CONSISTENCY);
	phys_addr_t object = kmalloc(mm, 64);

	mm_slab_store(mm, 0, object + 60, 5);
	cr_expect_eq(mm_kfree(mm, 0, object), 0);
	cr_expect_eq(mm_slab_nr_reports(mm), 0);
	mm_destroy(mm);
}

/* The slab of a damaged object is not used any more. */
Test(slab_debug, use_after_free_is_found_when_it_is_allocated_again)
{
	struct mm *mm = boot_debug(MM_SLAB_CONSISTENCY | MM_SLAB_POISON);
	phys_addr_t keep = kmalloc(mm, 64), object = kmalloc(mm, 64), next;

	cr_assert_eq(mm_kfree(mm, 0, object), 0);
	mm_slab_store(mm, 0, object + 16, 8);
	next = kmalloc(mm, 64);
	expect_report(mm, 0, "BUG kmalloc-64: poison overwritten");
	cr_expect_neq(next, object);
	cr_expect_neq(mm_slab_of(mm, next), mm_slab_of(mm, keep));
	must_verify(mm, "with a slab that was given up");
	cr_expect_eq(mm_kfree(mm, 0, keep), 0);
	must_verify(mm, "after a free to it");
	mm_destroy(mm);
}

/* An object that may be looked at after its free is not poisoned. */
Test(slab_debug, objects_of_rcu_caches_may_be_written_when_free)
{
	struct mm *mm = boot_debug(MM_SLAB_DEBUG);
	struct mm_cache_args args = {.name = "rcu", .size = 64, .flags = MM_SLAB_RCU};
	struct mm_slab_request req = {.gfp = GFP_KERNEL, .nid = MM_NO_NODE};
	struct mm_kmem_cache *cache;
	phys_addr_t object;

	cr_assert_eq(mm_kmem_cache_create(mm, 0, &args, &cache), 0);
	cr_assert_eq(mm_kmem_cache_alloc(mm, cache, &req, &object), 0);
	cr_assert_eq(mm_kmem_cache_free(mm, 0, cache, object), 0);
	mm_slab_store(mm, 0, object, 64);
	cr_expect_eq(mm_slab_validate(mm, 0, cache), 0);
	mm_destroy(mm);
}

/* Every operation takes the node's lock, and no slab is a CPU's. */
Test(slab_debug, debugged_slabs_are_nobodys)
{
	struct mm *mm = boot_debug(MM_SLAB_STORE_USER);
	phys_addr_t objects[100];

	for (int i = 0; i < 100; i++)
		objects[i] = kmalloc(mm, 100);
	must_verify(mm, "full");
	for (int cpu = 0; cpu < 2; cpu++)
		cr_expect_null(mm_slab_find(mm, "kmalloc-128")->cpu[cpu].slab);
	for (int i = 0; i < 100; i++)
		cr_expect_eq(mm_kfree(mm, i % 2, objects[i]), 0);
	must_verify(mm, "empty");
	mm_destroy(mm);
}
