/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is interrupted to drop translations from its TLB, and what telling them costs. What it costs
 * those who are told is charged at what they do next.
 */
#include "mm/user/user.h"
#include "sim/time/internal.h"

/* The kernel's own translations: idle CPUs are told as well, which costs the one who tells. */
static void interrupt_all(struct sim *s, struct cpu *c)
{
	for (int cpu = 0; cpu < s->machine->mm.nr_cpus; cpu++) {
		if (cpu == c->id)
			continue;
		cost_sink_site(s, c, MM_SITE_TLB_IPI, 1);
		s->cpus[cpu].nr_answers += !cpu_is_quiet(&s->cpus[cpu]);
	}
}

/* CPUs that run a process which has the page mapped. */
static void interrupt_users(struct sim *s, struct cpu *c, const struct page *page)
{
	int nr = s->machine->mm.nr_cpus;

	for (int i = mm_user_next_on(s->mm, page, 0); i < nr;
	     i = mm_user_next_on(s->mm, page, i + 1)) {
		struct cpu *user = &s->cpus[i];

		if (user == c || cpu_is_quiet(user))
			continue;
		cost_sink_site(s, c, MM_SITE_TLB_IPI, 1);
		user->nr_answers++;
	}
}

/* One that is interrupted loses the time at what it does next; an idle one is not told (lazy TLB).
 */
void cost_sink_shootdown(void *ctx, int cpu, struct page *page)
{
	struct sim *s = ctx;
	struct cpu *c = charged_cpu(s, cpu);
	int users[SIM_MAX_USERS], nr;

	if (c && !page)
		interrupt_all(s, c);
	if (c && page && page->user)
		interrupt_users(s, c, page);
	if (!c || !page || page->user || !s->owner)
		return;
	nr = s->owner->users(s->owner->arg, page, users);
	for (int i = 0; i < nr; i++) {
		struct cpu *user = &s->cpus[users[i]];

		if (user == c || cpu_is_quiet(user))
			continue;
		cost_sink_site(s, c, MM_SITE_TLB_IPI, 1);
		user->nr_answers++;
	}
}
