/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever the bytes, a policy file is rules that can be asked, or an error with its line. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sim/policy/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag diag = DIAG_INIT;
	struct policy_rules *rules = NULL;
	int err = policy_rules_parse((const char *)data, size, "fuzz", &diag, &rules);

	if (err) {
		if (err != -ENOMEM && (!diag.failed || !diag.error.text[0]))
			abort();
	} else {
		const struct mm_policy *p = policy_rules_find(rules, "wl", 2, 5, 1000);

		if (p && (p->mode >= MM_NR_POLICY_MODES || !policy_rules_number(rules)))
			abort();
		policy_rules_warn(rules, &diag);
		policy_rules_free(rules);
	}
	diag_clear(&diag);
	return 0;
}
