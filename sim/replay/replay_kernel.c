/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does what kernel workloads say, call by call. The functions are in kernel_pages.c, kernel_slab.c
 * and kernel_maps.c; here are names, what they stand for, and time.
 */
#include "sim/replay/replay_kernel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/warn.h"
#include "sim/json.h"
#include "sim/replay/kernel_state.h"
#include "sim/show/show.h"

int replay_kernel_new(struct sim *s, const struct trace *t, struct replay_kernel_counts *counts,
		      struct replay_kernel **out)
{
	struct replay_kernel *k;
	int err;

	*out = NULL;
	if (!t->kernel || !t->kernel->nr_calls)
		return 0;
	k = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	*out = k;
	*k = (struct replay_kernel){
		.sim = s,
		.mm = sim_mm(s),
		.plan = t->kernel,
		.counts = counts,
		.nr_tasks = t->nr_cpus,
		.tasks = calloc((size_t)t->nr_cpus, sizeof(*k->tasks)),
		.slots = calloc((size_t)mm_nr_cpus(sim_mm(s)), sizeof(*k->slots)),
	};
	counts->of = calloc(t->kernel->nr_calls, sizeof(*counts->of));
	err = k->tasks && k->slots && counts->of ? livemap_init(&k->pages) : -ENOMEM;
	for (int i = 0; i < k->nr_tasks && !err; i++) {
		k->tasks[i].values = calloc(t->kernel->nr_names + 1, sizeof(struct kernel_value));
		err = k->tasks[i].values ? 0 : -ENOMEM;
	}
	return err;
}

void replay_kernel_free(struct replay_kernel *k)
{
	if (!k)
		return;
	for (int i = 0; k->tasks && i < k->nr_tasks; i++) {
		for (uint32_t n = 0; k->tasks[i].values && n < k->plan->nr_names; n++) {
			free(k->tasks[i].values[n].items);
			free(k->tasks[i].values[n].mapped);
		}
		free(k->tasks[i].values);
	}
	free(k->tasks);
	free(k->slots);
	if (k->pages.slots)
		livemap_clear(&k->pages);
	free(k);
}

void replay_kernel_counts_clear(struct replay_kernel_counts *counts)
{
	free(counts->of);
	json_decref(counts->views);
	for (unsigned i = 0; i < counts->nr_lines; i++)
		free(counts->lines[i]);
	*counts = (struct replay_kernel_counts){0};
}

void kernel_print(struct kernel_run *x, const char *fmt, ...)
{
	struct replay_kernel_counts *counts = x->k->counts;
	char line[320];
	va_list args;

	if (counts->nr_lines == REPLAY_KERNEL_LINES)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	counts->lines[counts->nr_lines] = strdup(line);
	if (counts->lines[counts->nr_lines])
		counts->nr_lines++;
}

bool kernel_sleeps(struct kernel_run *x)
{
	if (!x->task->atomic)
		return false;
	mm_warn(x->mm, "BUG: sleeping function called from invalid context: %s, CPU %d is atomic",
		kernel_do_name(x->call->what), x->cpu);
	x->sum->calls++;
	x->sum->failed++;
	if (kernel_do_makes(x->call->what))
		kernel_store(x, &(struct kernel_value){.kind = KERNEL_NOTHING});
	return true;
}

bool kernel_owns(struct kernel_run *x, struct page *page, unsigned order)
{
	pfn_t pfn = mm_page_to_pfn(x->mm, MM_NO_CPU, page);
	const struct livemap_entry *e = livemap_find(&x->k->pages, pfn);

	return e && e->order == order;
}

bool kernel_may_free(struct kernel_run *x, struct page *page, unsigned order, const char **why)
{
	const struct livemap_entry *e =
		livemap_find(&x->k->pages, mm_page_to_pfn(x->mm, MM_NO_CPU, page));

	*why = e && e->page ? "it is still mapped" : "no block of that order in use begins there";
	return e && !e->page && e->order == order;
}

void kernel_map(struct kernel_run *x, struct page *page, int by)
{
	struct livemap_entry *e =
		livemap_find(&x->k->pages, mm_page_to_pfn(x->mm, MM_NO_CPU, page));

	if (e)
		e->page += (uint32_t)by;
}

bool kernel_own(struct kernel_run *x, struct page *page, unsigned order)
{
	const struct livemap_entry e = {.pfn = mm_page_to_pfn(x->mm, MM_NO_CPU, page),
					.order = (uint8_t)order};

	return !livemap_add(&x->k->pages, &e);
}

void kernel_disown(struct kernel_run *x, struct page *page)
{
	struct livemap_entry *e =
		livemap_find(&x->k->pages, mm_page_to_pfn(x->mm, MM_NO_CPU, page));

	if (e)
		livemap_remove(&x->k->pages, e);
}

uint64_t kernel_address(struct kernel_run *x, const struct kernel_value *v,
			const struct kernel_item *i)
{
	return v->kind == KERNEL_OBJECT ? i->at + mm_get_vm_map(x->mm)->direct.start : i->at;
}

void kernel_each(struct kernel_run *x, bool (*one)(struct kernel_run *x, struct kernel_item *i),
		 bool gives_back)
{
	uint64_t every = x->call->every ? x->call->every : 1, left = 0;
	struct kernel_value *v = x->of;

	x->sum->nothing += !v->nr;
	for (uint64_t i = 0; i < v->nr && !x->err; i += every) {
		x->sum->calls++;
		x->sum->failed += !one(x, &v->items[i]);
	}
	if (!gives_back || every == 1)
		return;
	for (uint64_t i = 0; i < v->nr; i++)
		if (i % every)
			v->items[left++] = v->items[i];
	v->nr = left;
}

void kernel_store(struct kernel_run *x, const struct kernel_value *v)
{
	struct kernel_value *to;

	if (x->call->name == KERNEL_NONE) {
		free(v->items);
		free(v->mapped);
		return;
	}
	to = &x->task->values[x->call->name];
	free(to->items);
	free(to->mapped);
	*to = *v;
}

void kernel_make(struct kernel_run *x, struct kernel_value like,
		 bool (*one)(struct kernel_run *x, struct kernel_value *v, struct kernel_item *i))
{
	like.items = calloc(x->call->nr, sizeof(*like.items));
	like.nr = 0;
	for (uint64_t i = 0; i < x->call->nr && !x->err; i++) {
		x->sum->calls++;
		if (like.items && one(x, &like, &like.items[like.nr]))
			like.nr++;
		else
			x->sum->failed++;
	}
	kernel_store(x, &like);
}

static void do_preempt(struct kernel_run *x, bool disable)
{
	x->sum->calls++;
	if (disable || x->task->atomic) {
		x->task->atomic += disable ? 1 : (unsigned)-1;
		return;
	}
	x->sum->failed++;
	mm_warn(x->mm, "BUG: preempt_enable on CPU %d, where preemption is not disabled", x->cpu);
}

static void do_sleep(struct kernel_run *x)
{
	x->sum->calls++;
	if (x->task->atomic) {
		x->sum->failed++;
		mm_warn(x->mm, "BUG: scheduling while atomic: msleep on CPU %d", x->cpu);
		return;
	}
	sim_settle(x->k->sim, x->cpu);
	sim_idle_until(x->k->sim, x->cpu, sim_now_ps(x->k->sim, x->cpu) + x->call->time_ps);
}

/* As root writes to /proc/sys/vm; takes no time. */
static void do_sysctl(struct kernel_run *x)
{
	char *const *texts = x->k->plan->texts;
	struct mm_refusal refusal;

	x->sum->calls++;
	if (!mm_sysctl(x->mm, texts[x->call->about], texts[x->call->text], &refusal))
		return;
	x->sum->failed++;
	kernel_print(x, "sysctl %s: %s", texts[x->call->about], refusal.why);
}

/* As somebody who reads the file; takes no time. Beyond so many nobody looks any more. */
static void do_show(struct kernel_run *x)
{
	struct replay_kernel_counts *counts = x->k->counts;
	struct diag diag = DIAG_INIT;
	struct show_request view;
	char why[256];
	json_t *of;
	int err;

	x->sum->calls++;
	if (!counts->views)
		counts->views = json_array();
	if (json_array_size(counts->views) >= REPLAY_KERNEL_LINES)
		return;
	err = show_parse(x->k->plan->texts[x->call->text], &view, why, sizeof(why));
	if (!err)
		err = show_take(&view, sim_machine(x->k->sim), x->mm, counts->views_json, &diag,
				&of);
	if (err) {
		x->sum->failed++;
		kernel_print(x, "%s", diag.failed ? diag.error.text : strerror(-err));
	} else {
		json_put(of, "cpu", (uint64_t)x->cpu);
		json_put(of, "at_ps", sim_now_ps(x->k->sim, x->cpu));
		json_array_append_new(counts->views, of);
	}
	diag_clear(&diag);
}

static void do_call(struct kernel_run *x)
{
	switch (x->call->what) {
	case KERNEL_PREEMPT_DISABLE:
	case KERNEL_PREEMPT_ENABLE:
		do_preempt(x, x->call->what == KERNEL_PREEMPT_DISABLE);
		break;
	case KERNEL_MSLEEP:
		do_sleep(x);
		break;
	case KERNEL_SYSCTL:
		do_sysctl(x);
		break;
	case KERNEL_SHOW:
		do_show(x);
		break;
	default:
		if (x->call->what < KERNEL_KMALLOC)
			kernel_pages(x);
		else if (x->call->what < KERNEL_VMALLOC)
			kernel_slab(x);
		else
			kernel_maps(x);
	}
}

int replay_kernel_call(struct replay_kernel *k, int cpu, const struct trace_event *ev)
{
	const struct kernel_call *call = &k->plan->calls[ev->bytes];
	struct kernel_run x = {
		.k = k,
		.mm = k->mm,
		.call = call,
		.task = &k->tasks[ev->cpu],
		.sum = &k->counts->of[ev->bytes],
		.cpu = cpu,
	};
	uint64_t began;

	if (call->of != KERNEL_NONE)
		x.of = &x.task->values[call->of];
	k->counts->events++;
	if (x.of && !(x.of->kind & kernel_do_needs(call->what))) {
		x.sum->nothing++;
		return 0;
	}
	sim_settle(k->sim, cpu);
	began = sim_now_ps(k->sim, cpu);
	do_call(&x);
	if (x.err)
		return x.err;
	sim_settle(k->sim, cpu);
	x.sum->ps += sim_now_ps(k->sim, cpu) - began;
	return 0;
}

void replay_kernel_leaks(struct replay_kernel *k)
{
	for (int i = 0; k && i < k->nr_tasks; i++)
		if (k->tasks[i].atomic)
			mm_warn(k->mm, "preemption is still disabled %u times on CPU %d",
				k->tasks[i].atomic, i % mm_nr_cpus(k->mm));
}
