/* SPDX-License-Identifier: Apache-2.0 */
/* The account of a simulated CPU: names of the causes, and the equations that it has to meet. */
#include <inttypes.h>

#include "sim/time/bug.h"
#include "sim/time/cpu.h"

const char *time_cause_name(enum time_cause cause)
{
	static const char *const names[NR_CAUSES] = {
		[CAUSE_COMPUTE] = "compute",
		[CAUSE_LOCAL] = "local_memory",
		[CAUSE_REMOTE] = "remote_memory",
		[CAUSE_LOCK_WAIT] = "lock_wait",
		[CAUSE_ZEROING] = "zeroing",
		[CAUSE_TLB] = "tlb_misses",
		[CAUSE_DISK] = "disk",
		[CAUSE_IDLE] = "idle",
	};
	return names[cause];
}

void cpu_check_account(const struct cpu *c)
{
	const struct cpu_account *a = &c->account;
	uint64_t causes = 0, remote = 0, zeroing = 0, locks = 0;

	for (int cause = 0; cause < NR_CAUSES; cause++)
		causes += a->cause_ps[cause];
	for (int place = 0; place < c->nr_banks; place++) {
		remote += a->nodes[place].remote_ps;
		zeroing += a->nodes[place].zeroing_ps;
	}
	for (int kind = 0; kind < MM_NR_LOCK_KINDS; kind++)
		locks += a->locks[kind].wait_ps;
	if (causes != c->now_ps || a->total_ps != c->now_ps ||
	    remote != a->cause_ps[CAUSE_REMOTE] || zeroing != a->cause_ps[CAUSE_ZEROING] ||
	    locks != a->cause_ps[CAUSE_LOCK_WAIT] || a->nodes[c->place].remote_ps)
		SIM_BUG("the account of cpu %d does not add up, in ps: clock %" PRIu64
			", total %" PRIu64 ", causes %" PRIu64 ", remote %" PRIu64
			" by node %" PRIu64 " of which its own %" PRIu64 ", zeroing %" PRIu64
			" by node %" PRIu64 ", waiting for locks %" PRIu64 " by lock %" PRIu64,
			c->id, c->now_ps, a->total_ps, causes, a->cause_ps[CAUSE_REMOTE], remote,
			a->nodes[c->place].remote_ps, a->cause_ps[CAUSE_ZEROING], zeroing,
			a->cause_ps[CAUSE_LOCK_WAIT], locks);
}
