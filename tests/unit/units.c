/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers with units: exact both ways, and every way to get one wrong has its message. */
#include "sim/config/units.h"

#include <criterion/criterion.h>
#include <string.h>

static uint64_t size(const char *text)
{
	uint64_t v = 0;

	cr_assert_null(units_parse_size(text, &v), "%s", text);
	return v;
}

static uint64_t time_ps(const char *text)
{
	uint64_t v = 0;

	cr_assert_null(units_parse_time(text, &v), "%s", text);
	return v;
}

static uint64_t rate(const char *text)
{
	uint64_t v = 0;

	cr_assert_null(units_parse_rate(text, &v), "%s", text);
	return v;
}

static uint64_t frequency(const char *text)
{
	uint64_t v = 0;

	cr_assert_null(units_parse_frequency(text, &v), "%s", text);
	return v;
}

Test(units, sizes)
{
	cr_assert_eq(size("64GiB"), UINT64_C(64) << 30);
	cr_assert_eq(size("639KiB"), 639 * 1024);
	cr_assert_eq(size("512MB"), 512000000);
	cr_assert_eq(size("1kB"), 1000);
	cr_assert_eq(size("1KB"), 1000);
	cr_assert_eq(size("1.5 KiB"), 1536);
	cr_assert_eq(size("0B"), 0);
	cr_assert_eq(size("16383PiB"), UINT64_C(16383) << 50);
	cr_assert_eq(size("18446744073709551615B"), UINT64_MAX);
}

/* 0.1 and 77.9 have no exact double: decimal arithmetic gives the whole number of picoseconds. */
Test(units, times_are_exact)
{
	cr_assert_eq(time_ps("90ns"), 90000);
	cr_assert_eq(time_ps("77.9ns"), 77900);
	cr_assert_eq(time_ps("1.5us"), 1500000);
	cr_assert_eq(time_ps("0.1ns"), 100);
	cr_assert_eq(time_ps("0.001ns"), 1);
	cr_assert_eq(time_ps("1.0050 us"), 1005000);
	cr_assert_eq(time_ps("0.10000000000000000000000000000000ns"), 100);
	cr_assert_eq(time_ps("18446744.073709551615s"), UINT64_MAX);
	cr_assert_eq(time_ps(".5ns"), 500);
}

Test(units, rates_and_frequencies)
{
	cr_assert_eq(rate("21.3GB/s"), UINT64_C(21300000000));
	cr_assert_eq(rate("113.1GB/s"), UINT64_C(113100000000));
	cr_assert_eq(rate("1GiB/s"), UINT64_C(1) << 30);
	cr_assert_eq(frequency("2.4GHz"), UINT64_C(2400000000));
	cr_assert_eq(frequency("66MHz"), 66000000);
}

Test(units, addresses_may_be_hexadecimal)
{
	uint64_t v = 1;

	cr_assert_null(units_parse_address("0", &v));
	cr_assert_eq(v, 0);
	cr_assert_null(units_parse_address("0x1fffFFFFF", &v));
	cr_assert_eq(v, UINT64_C(0x1fffFFFFF));
	cr_assert_null(units_parse_address("4GiB", &v));
	cr_assert_eq(v, UINT64_C(4) << 30);
	cr_assert_str_eq(units_parse_address("0x", &v), "is not a hexadecimal address");
	cr_assert_str_eq(units_parse_address("0x12g", &v), "is not a hexadecimal address");
	cr_assert_str_eq(units_parse_address("0x10000000000000000", &v), "is too large an address");
	cr_assert_str_eq(units_parse_address("4096", &v),
			 "has no unit (known: B, kB, MB, GB, TB, PB, KiB, MiB, GiB, TiB, PiB)");
}

struct wrong {
	const char *text, *why;
};

static void refuse(const char *(*parse)(const char *, uint64_t *), const struct wrong *wrong,
		   size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		uint64_t v = 42;
		const char *why = parse(wrong[i].text, &v);

		cr_assert_not_null(why, "%s", wrong[i].text);
		cr_assert_str_eq(why, wrong[i].why, "%s %s", wrong[i].text, why);
		cr_assert_eq(v, 42, "%s", wrong[i].text);
	}
}

#define SIZES "B, kB, MB, GB, TB, PB, KiB, MiB, GiB, TiB, PiB"

Test(units, wrong_sizes)
{
	static const struct wrong wrong[] = {
		{"", "is not a number with a unit"},
		{"GiB", "is not a number with a unit"},
		{"NaN", "is not a number with a unit"},
		{"inf", "is not a number with a unit"},
		{"+1GiB", "is not a number with a unit"},
		{".", "is not a number with a unit"},
		{"5.GiB", "is not a number with a unit"},
		{" 5GiB", "is not a number with a unit"},
		{"-5GiB", "is negative"},
		{"64", "has no unit (known: " SIZES ")"},
		{"64.5", "has no unit (known: " SIZES ")"},
		{"64GiBs", "has an unknown unit (known: " SIZES ")"},
		{"64GiB ", "has an unknown unit (known: " SIZES ")"},
		{"64gib", "has an unknown unit (known: " SIZES ")"},
		{"1e3B", "has an unknown unit (known: " SIZES ")"},
		{"1.5.5B", "has an unknown unit (known: " SIZES ")"},
		{"64GB/s", "has an unknown unit (known: " SIZES ")"},
		{"0.3KiB", "is not a whole number of bytes"},
		{"0.00000000000000000000000001PiB", "is not a whole number of bytes"},
		{"1.00000000000000000001PiB", "is not a whole number of bytes"},
		{"16384PiB", "is too large a size"},
		{"18446744073709551616B", "is too large a size"},
		{"99999999999999999999999999999999999999999999B", "is too large a size"},
	};

	refuse(units_parse_size, wrong, sizeof(wrong) / sizeof(*wrong));
}

Test(units, wrong_times_rates_and_frequencies)
{
	static const struct wrong times[] = {
		{"90", "has no unit (known: ps, ns, us, ms, s)"},
		{"90n", "has an unknown unit (known: ps, ns, us, ms, s)"},
		{"0.0001ns", "is not a whole number of picoseconds"},
		{"20000000s", "is too large a time"},
	};
	static const struct wrong rates[] = {
		{"20", "has no unit (known: B/s, kB/s, MB/s, GB/s, TB/s, PB/s, KiB/s, MiB/s, "
		       "GiB/s, TiB/s, PiB/s)"},
		{"20GB", "has an unknown unit (known: B/s, kB/s, MB/s, GB/s, TB/s, PB/s, KiB/s, "
			 "MiB/s, GiB/s, TiB/s, PiB/s)"},
		{"20000PB/s", "is too large a rate"},
	};
	static const struct wrong freqs[] = {
		{"2.4", "has no unit (known: Hz, kHz, MHz, GHz)"},
		{"2.4THz", "has an unknown unit (known: Hz, kHz, MHz, GHz)"},
		{"0.5Hz", "is not a whole number of hertz"},
	};

	refuse(units_parse_time, times, sizeof(times) / sizeof(*times));
	refuse(units_parse_rate, rates, sizeof(rates) / sizeof(*rates));
	refuse(units_parse_frequency, freqs, sizeof(freqs) / sizeof(*freqs));
}

Test(units, print)
{
	cr_assert_str_eq(units_size(639 * 1024).text, "639KiB");
	cr_assert_str_eq(units_size(UINT64_C(64) << 30).text, "64GiB");
	cr_assert_str_eq(units_size(0).text, "0B");
	cr_assert_str_eq(units_size(1025).text, "1025B");
	cr_assert_str_eq(units_time(77900).text, "77.9ns");
	cr_assert_str_eq(units_time(1005000).text, "1.005us");
	cr_assert_str_eq(units_time(999).text, "999ps");
	cr_assert_str_eq(units_time(0).text, "0ps");
	cr_assert_str_eq(units_rate(UINT64_C(113100000000)).text, "113.1GB/s");
	cr_assert_str_eq(units_frequency(UINT64_C(2400000000)).text, "2.4GHz");
	cr_assert_str_eq(units_time(UINT64_MAX).text, "18446744.073709551615s");
}

/* What is printed reads back as the same number: a walk over the bit patterns 2^n * 3 - 1. */
Test(units, print_and_parse_back)
{
	for (uint64_t v = 1; v < UINT64_MAX / 2 - 1; v = v * 2 + 1) {
		uint64_t values[] = {v, v + 1, v / 3 * 1000};

		for (unsigned i = 0; i < 3; i++) {
			cr_assert_eq(size(units_size(values[i]).text), values[i]);
			cr_assert_eq(time_ps(units_time(values[i]).text), values[i]);
			cr_assert_eq(rate(units_rate(values[i]).text), values[i]);
			cr_assert_eq(frequency(units_frequency(values[i]).text), values[i]);
		}
	}
}
