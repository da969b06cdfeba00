/* SPDX-License-Identifier: Apache-2.0 */
/* Figures as people read them. */
#include "sim/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct text text_count(uint64_t n)
{
	char digits[24];
	struct text t;
	size_t len, out = 0;

	snprintf(digits, sizeof(digits), "%" PRIu64, n);
	len = strlen(digits);
	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			t.text[out++] = ',';
		t.text[out++] = digits[i];
	}
	t.text[out] = '\0';
	return t;
}

struct text text_time(uint64_t ps)
{
	static const char *const units[] = {"ps", "ns", "us", "ms", "s"};
	double value = (double)ps;
	struct text t;
	int unit = 0;

	while (value >= 999.95 && unit < 4) {
		value /= 1000;
		unit++;
	}
	/* Seconds may have more than four digits. */
	snprintf(t.text, sizeof(t.text), unit == 0 || value >= 1000 ? "%.0f %s" : "%.4g %s", value,
		 units[unit]);
	return t;
}

struct text text_bytes(uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	uint64_t scale = 1;
	struct text t;
	int unit = 0;

	if (bytes == 0)
		return (struct text){"0"};
	/* Up to the unit in which one decimal does not round it to 1024. */
	while ((double)bytes / (double)scale >= (bytes % scale ? 1023.95 : 1024) && unit < 5) {
		scale *= 1024;
		unit++;
	}
	if (bytes % scale == 0)
		snprintf(t.text, sizeof(t.text), "%" PRIu64 " %s", bytes / scale, units[unit]);
	else
		snprintf(t.text, sizeof(t.text), "%.1f %s", (double)bytes / (double)scale,
			 units[unit]);
	return t;
}

struct text text_percent(uint64_t part, uint64_t whole)
{
	struct text t = {"-"};

	if (whole)
		snprintf(t.text, sizeof(t.text), "%.1f %%", 100.0 * (double)part / (double)whole);
	return t;
}

struct text text_ratio(uint64_t value, uint64_t base)
{
	static const double below[] = {99.95, 9.995, 0.9995}; /* take one more decimal each */
	struct text t = {"-"};
	double ratio;
	int decimals = 0;

	if (value == base)
		return (struct text){"1.00x"};
	if (!base)
		return t;
	ratio = (double)value / (double)base;
	while (decimals < 3 && ratio < below[decimals])
		decimals++;
	snprintf(t.text, sizeof(t.text), "%.*fx", decimals, ratio);
	return t;
}
