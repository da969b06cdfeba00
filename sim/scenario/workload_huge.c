/* SPDX-License-Identifier: Apache-2.0 */
/* Of which size the huge pages of a mapping are to be: "hugepagesz" beside "hugetlb". */
#include "sim/config/config.h"
#include "sim/config/units.h"
#include "sim/workload.h"

void workload_read_huge(struct cfg *c, const struct cfg_setting *s,
			const struct workload_host *host, bool hugetlb, uint64_t *bytes)
{
	uint64_t size;

	*bytes = host->pool_bytes;
	if (!cfg_size(c, s, &size))
		return;
	if (!hugetlb)
		cfg_error(c, s, "only with hugetlb = true");
	else if (size == host->huge_bytes || (host->gigantic_bytes && size == host->gigantic_bytes))
		*bytes = size;
	else if (host->gigantic_bytes)
		cfg_error(c, s, "expected a size of huge pages of the machine, %s or %s, found %s",
			  units_size(host->huge_bytes).text, units_size(host->gigantic_bytes).text,
			  units_size(size).text);
	else
		cfg_error(c, s, "expected the size of huge pages of the machine, %s, found %s",
			  units_size(host->huge_bytes).text, units_size(size).text);
}
