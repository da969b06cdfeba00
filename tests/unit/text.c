/* SPDX-License-Identifier: Apache-2.0 */
/* Figures as people read them, and where one form ends and the next begins. */
#include "sim/text.h"

#include <criterion/criterion.h>

#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)
#define PIB (MIB * MIB * KIB)

#define cr_expect_text(call, text_) cr_expect_str_eq((call).text, text_)

Test(text, counts_are_grouped_by_thousands)
{
	cr_expect_text(text_count(0), "0");
	cr_expect_text(text_count(999), "999");
	cr_expect_text(text_count(1000), "1,000");
	cr_expect_text(text_count(143691), "143,691");
	cr_expect_text(text_count(1000000), "1,000,000");
	cr_expect_text(text_count(UINT64_MAX), "18,446,744,073,709,551,615");
}

Test(text, times_have_four_digits)
{
	cr_expect_text(text_time(0), "0 ps");
	cr_expect_text(text_time(999), "999 ps");
	cr_expect_text(text_time(1000), "1 ns");
	cr_expect_text(text_time(77900), "77.9 ns");
	cr_expect_text(text_time(47762345678), "47.76 ms");
	cr_expect_text(text_time(1234500000000), "1.234 s");
}

/* 999.95 would be four digits of the next unit: it is rounded up to that. */
Test(text, times_never_round_to_a_thousand_of_a_unit)
{
	cr_expect_text(text_time(999949), "999.9 ns");
	cr_expect_text(text_time(999950), "1 us");
	cr_expect_text(text_time(999950000000), "1 s");
}

Test(text, long_times_are_whole_seconds)
{
	cr_expect_text(text_time(999900000000000), "999.9 s");
	cr_expect_text(text_time(86400000000000000), "86400 s");
	cr_expect_text(text_time(UINT64_MAX), "18446744 s");
}

Test(text, bytes_are_whole_or_have_one_decimal)
{
	cr_expect_text(text_bytes(0), "0");
	cr_expect_text(text_bytes(1), "1 B");
	cr_expect_text(text_bytes(1023), "1023 B");
	cr_expect_text(text_bytes(KIB), "1 KiB");
	cr_expect_text(text_bytes(KIB + KIB / 2), "1.5 KiB");
	cr_expect_text(text_bytes(608 * MIB), "608 MiB");
	cr_expect_text(text_bytes(1023 * MIB), "1023 MiB");
	cr_expect_text(text_bytes(2048 * PIB), "2048 PiB");
	cr_expect_text(text_bytes(UINT64_MAX), "16384.0 PiB");
}

Test(text, bytes_never_round_to_1024_of_a_unit)
{
	cr_expect_text(text_bytes(MIB - 1), "1.0 MiB");
	cr_expect_text(text_bytes(MIB - 51), "1.0 MiB");    /* 1023.9502 KiB */
	cr_expect_text(text_bytes(MIB - 52), "1023.9 KiB"); /* 1023.9492 KiB */
}

Test(text, percentages)
{
	cr_expect_text(text_percent(1, 3), "33.3 %");
	cr_expect_text(text_percent(0, 7), "0.0 %");
	cr_expect_text(text_percent(7, 7), "100.0 %");
	cr_expect_text(text_percent(0, 0), "-");
}

Test(text, ratios_have_three_digits)
{
	cr_expect_text(text_ratio(5, 4), "1.25x");
	cr_expect_text(text_ratio(211, 1000), "0.211x");
	cr_expect_text(text_ratio(1, 1000000), "0.000x");
	cr_expect_text(text_ratio(0, 3), "0.000x");
	cr_expect_text(text_ratio(10001, 10000), "1.00x");
	cr_expect_text(text_ratio(9999, 10000), "1.00x");
	cr_expect_text(text_ratio(9994, 10000), "0.999x");
	cr_expect_text(text_ratio(125, 10), "12.5x");
	cr_expect_text(text_ratio(9996, 1000), "10.0x");
	cr_expect_text(text_ratio(123456, 1), "123456x");
}

Test(text, ratios_to_nothing)
{
	cr_expect_text(text_ratio(0, 0), "1.00x");
	cr_expect_text(text_ratio(3, 0), "-");
	cr_expect_text(text_ratio(UINT64_MAX, UINT64_MAX), "1.00x");
}
