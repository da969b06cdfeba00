/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks and the switch between them: the registers that a call preserves, on the stack that is
 * left. Where we have no such switch, that of libc, which also asks the kernel for signal masks.
 */
#define _GNU_SOURCE
#include "sim/time/fiber.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define WITH_SANITIZER 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define WITH_SANITIZER 1
#endif
#ifdef WITH_SANITIZER
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#ifndef __x86_64__
#include <ucontext.h>
#endif

#define STACK_BYTES ((size_t)512 << 10)
/* Tops of stacks are that far apart, modulo all of it, so that they do not share sets of caches. */
#define COLOUR_STEP 1088u
#define NR_COLOURS  32u

struct fiber {
#ifdef __x86_64__
	void *sp;
#else
	ucontext_t context;
#endif
	void (*main)(void *arg);
	void *arg;
	char *mapped;       /* a guard page, then the stack; NULL: the caller's own */
	size_t guard_bytes; /* of it */
#ifdef WITH_SANITIZER
	struct fiber *came_from;
	void *fake_stack;
	const void *bottom;
	size_t bytes;
#endif
};

static void announce(struct fiber *from, const struct fiber *to, bool for_good)
{
#ifdef WITH_SANITIZER
	((struct fiber *)to)->came_from = from;
	__sanitizer_start_switch_fiber(for_good ? NULL : &from->fake_stack, to->bottom, to->bytes);
#else
	(void)from;
	(void)to;
	(void)for_good;
#endif
}

/* Running again, or for the first time. */
static void arrive(struct fiber *self)
{
#ifdef WITH_SANITIZER
	__sanitizer_finish_switch_fiber(self->fake_stack, &self->came_from->bottom,
					&self->came_from->bytes);
#else
	(void)self;
#endif
}

#ifdef __x86_64__

/* Keep the stack pointer at *from, and go on where `to` was kept. */
void fiber_swap_stacks(void **from, void *to);
/* Where a new stack goes on: calls %r12(%rbx). */
void fiber_begin(void);

__asm__(".pushsection .text\n"
	".globl fiber_swap_stacks\n"
	".hidden fiber_swap_stacks\n"
	".type fiber_swap_stacks, @function\n"
	"fiber_swap_stacks:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".size fiber_swap_stacks, . - fiber_swap_stacks\n"
	".globl fiber_begin\n"
	".hidden fiber_begin\n"
	".type fiber_begin, @function\n"
	"fiber_begin:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined rip\n"
	"	movq %rbx, %rdi\n"
	"	call *%r12\n"
	"	ud2\n"
	"	.cfi_endproc\n"
	".size fiber_begin, . - fiber_begin\n"
	".popsection\n");

static void begin(void *arg)
{
	struct fiber *f = arg;

	arrive(f);
	f->main(f->arg);
	abort();
}

static void make_context(struct fiber *f, char *top)
{
	/* As fiber_swap_stacks() leaves it: r15, r14, r13, r12, rbx, rbp, where to return to; then
	 * the stack is aligned to 16 bytes, as it is before a call. */
	uint64_t *sp = (uint64_t *)(void *)top - 9;

	sp[3] = (uint64_t)(uintptr_t)begin;
	sp[4] = (uint64_t)(uintptr_t)f;
	sp[6] = (uint64_t)(uintptr_t)fiber_begin;
	f->sp = sp;
}

static void swap(struct fiber *from, struct fiber *to)
{
	fiber_swap_stacks(&from->sp, to->sp);
}

#else

/* makecontext() passes on nothing wider than an int. */
static void begin(unsigned high, unsigned low)
{
	struct fiber *f = (struct fiber *)(uintptr_t)((uint64_t)high << 32 | low);

	arrive(f);
	f->main(f->arg);
	abort();
}

static void make_context(struct fiber *f, char *top)
{
	uint64_t self = (uint64_t)(uintptr_t)f;

	getcontext(&f->context);
	f->context.uc_stack.ss_sp = f->mapped + f->guard_bytes;
	f->context.uc_stack.ss_size = (size_t)(top - f->mapped) - f->guard_bytes;
	f->context.uc_link = NULL;
	makecontext(&f->context, (void (*)(void))begin, 2, (unsigned)(self >> 32), (unsigned)self);
}

static void swap(struct fiber *from, struct fiber *to)
{
	swapcontext(&from->context, &to->context);
}

#endif

struct fiber *fiber_create(void (*main)(void *arg), void *arg, unsigned number)
{
	struct fiber *f = calloc(1, sizeof(*f));
	char *top;

	if (!f)
		return NULL;
	f->main = main;
	f->arg = arg;
	f->guard_bytes = (size_t)sysconf(_SC_PAGESIZE);
	f->mapped = mmap(NULL, f->guard_bytes + STACK_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (f->mapped == MAP_FAILED || mprotect(f->mapped, f->guard_bytes, PROT_NONE)) {
		if (f->mapped == MAP_FAILED)
			f->mapped = NULL;
		fiber_free(f);
		return NULL;
	}
	top = f->mapped + f->guard_bytes + STACK_BYTES - number % NR_COLOURS * COLOUR_STEP;
#ifdef WITH_SANITIZER
	f->bottom = f->mapped + f->guard_bytes;
	f->bytes = STACK_BYTES;
#endif
	make_context(f, top);
	return f;
}

struct fiber *fiber_of_caller(void)
{
	return calloc(1, sizeof(struct fiber));
}

void fiber_free(struct fiber *f)
{
	if (!f)
		return;
	if (f->mapped) {
#ifdef WITH_SANITIZER
		__asan_unpoison_memory_region(f->mapped + f->guard_bytes, STACK_BYTES);
#endif
		munmap(f->mapped, f->guard_bytes + STACK_BYTES);
	}
	free(f);
}

void fiber_switch(struct fiber *from, struct fiber *to)
{
	announce(from, to, false);
	swap(from, to);
	arrive(from);
}

void fiber_leave(struct fiber *from, struct fiber *to)
{
	announce(from, to, true);
	swap(from, to);
	abort();
}
