/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine as a SimGrid platform. Owns the mapping of CPUs, nodes, banks and links to SimGrid's
 * hosts, links and routes. The text is made from integers, so it is the same everywhere.
 *
 * Two zones. "cpus" holds a host a CPU and no route: a CPU computes there, its traffic leaves from
 * its node. "memory" holds a host a node, a host a bank, the links and a route from each node that
 * has CPUs to each bank that has memory. SimGrid's table of routes is quadratic in the hosts of a
 * zone, and so stays small however many CPUs there are.
 *
 * A route serves both directions, unless a link on it has a bandwidth of its own for writes: then
 * bytes read go from the bank over the links, bytes written to it over those with a "w". A bank's
 * bus is half duplex: reads and writes share its bandwidth. The machine's links (from, to) are
 * those that accesses by `from` to the bank of `to` take, whichever way the bytes go. Links that
 * share a wire are one of SimGrid's.
 *
 * On a link a byte is a byte. To the bank one that is written may be more than one that is read,
 * and SimGrid knows no such weights. So where a transfer is not as much to the bank as to all
 * links, it is two or three at the same time: bytes read and bytes written as far as the "gate" of
 * the bank, which is the way without the bank, and what the bank has to do from the bank to itself.
 *
 * A bank that has channels has a link each, of all of the bank's bandwidth, and all of them are on
 * the way to it. A host more for each set of channels (channels.h) is where bytes go that only
 * these take: each of their links is on that way as often as makes n bytes of one byte, where one
 * in n is in the set, since SimGrid counts a link as often as it is named.
 *
 * Where there are disks, a third zone, "disks": a host "storage", where pages come from and go, and
 * a host a disk. Reads and writes have a link each; a third one, of the larger rate, is what the
 * disk moves altogether. (SimGrid's own disks round what they move to whole bytes at each event:
 * between events of a nanosecond and less they never get anywhere.)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim/machine/channels.h"
#include "sim/sim.h"

/* value / 10^digits, exactly, without trailing zeros. */
static void put_decimal(FILE *out, uint64_t value, int digits)
{
	uint64_t unit = 1;

	for (int i = 0; i < digits; i++)
		unit *= 10;
	fprintf(out, "%" PRIu64, value / unit);
	value %= unit;
	if (value)
		fputc('.', out);
	while (value) {
		unit /= 10;
		fputc((int)('0' + value / unit), out);
		value %= unit;
	}
}

/* An attribute's text. What XML or SimGrid's scanner may not take becomes a question mark. */
static void put_attribute(FILE *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '&')
			fputs("&amp;", out);
		else if (c == '<')
			fputs("&lt;", out);
		else if (c == '>')
			fputs("&gt;", out);
		else if (c == '"')
			fputs("&quot;", out);
		else if (c < ' ' || c > '~')
			fputc('?', out);
		else
			fputc(c, out);
	}
}

/* A link of SimGrid's. */
struct put_link {
	const char *id, *suffix;
	int nr;
	uint64_t latency_ps, bytes_per_s;
	const char *name; /* NULL: none */
};

static void put_link(FILE *out, const struct put_link *l)
{
	const char *name = l->name;

	fprintf(out, "\t\t\t<link id=\"%s%d%s\" bandwidth=\"", l->id, l->nr, l->suffix);
	put_decimal(out, l->bytes_per_s, 9);
	fputs("Bps\" latency=\"", out);
	put_decimal(out, l->latency_ps, 3);
	if (name) {
		fputs("s\"><prop id=\"name\" value=\"", out);
		put_attribute(out, name);
		fputs("\"/></link>\n", out);
	} else {
		fputs("s\"/>\n", out);
	}
}

uint64_t platform_link_write_rate(const struct machine *m, int nr)
{
	const struct machine_link *link = &m->links[nr];

	return link->write_bytes_per_s ? link->write_bytes_per_s : link->bytes_per_s;
}

uint64_t platform_write_rate(const struct machine *m, int from, int to)
{
	const struct machine_route *route = machine_route(m, from, to);
	uint64_t rate = m->banks[to].bytes_per_s;

	if (!route->two_ways)
		return route->bytes_per_s;
	for (int i = 0; i < route->nr_links; i++) {
		uint64_t link = platform_link_write_rate(m, route->links[i]);

		rate = link < rate ? link : rate;
	}
	return rate;
}

static void put_cpus(FILE *out, const struct machine *m)
{
	fputs("\t\t<zone id=\"cpus\" routing=\"None\">\n", out);
	for (int cpu = 0; cpu < m->mm.nr_cpus; cpu++) {
		fprintf(out, "\t\t\t<host id=\"cpu%d\" speed=\"", cpu);
		put_decimal(out, m->cpus[cpu].freq_hz, 9);
		fprintf(out, "f\"><prop id=\"node\" value=\"%d\"/></host>\n", m->cpus[cpu].place);
	}
	fputs("\t\t</zone>\n", out);
}

/* The host of a set of channels. */
static void put_bank_name(FILE *out, int nid, struct channel_set set)
{
	fprintf(out, "bank%d", nid);
	if (set.apart > 1)
		fprintf(out, ".%u.%u", set.apart, set.first);
}

/* The links of a bank. */
static void put_bank_links(FILE *out, const struct machine *m, int nid, struct channel_set set)
{
	const struct machine_bank *bank = &m->banks[nid];
	unsigned apart = set.apart ? set.apart : 1;

	fprintf(out, "<link_ctn id=\"bank%d\"/>", nid);
	for (unsigned i = set.first; bank_has_channels(bank) && i < bank->channels; i += apart)
		for (unsigned times = 0; times < apart; times++)
			fprintf(out, "<link_ctn id=\"channel%d.%u\"/>", nid, i);
}

/* The links of a route, those for writes or for reads; `back`: beginning at the bank. */
static void put_way(FILE *out, const struct machine *m, const struct machine_route *route,
		    bool back)
{
	for (int i = 0; i < route->nr_links; i++) {
		int link = route->links[back ? route->nr_links - 1 - i : i];

		fprintf(out, "<link_ctn id=\"link%d%s\"/>", link,
			!back && m->links[link].write_bytes_per_s ? "w" : "");
	}
}

static void put_route(FILE *out, const struct machine *m, int from, int to, struct channel_set set)
{
	const struct machine_route *route = machine_route(m, from, to);

	if (!route->bytes_per_s)
		return;
	fprintf(out, "\t\t\t<route src=\"node%d\" dst=\"", from);
	put_bank_name(out, to, set);
	fprintf(out, "\" symmetrical=\"%s\">", route->two_ways ? "NO" : "YES");
	put_way(out, m, route, false);
	put_bank_links(out, m, to, set);
	fputs("</route>\n", out);
	if (!route->two_ways)
		return;
	fputs("\t\t\t<route src=\"", out);
	put_bank_name(out, to, set);
	fprintf(out, "\" dst=\"node%d\" symmetrical=\"NO\">", from);
	put_bank_links(out, m, to, set);
	put_way(out, m, route, true);
	fputs("</route>\n", out);
}

/* Is a byte of that way not the same to the bank as to each link, or to all links? */
static bool has_parts(const struct machine *m, int from, int to)
{
	const struct machine_route *route = machine_route(m, from, to);
	const struct machine_bank *bank = &m->banks[to];

	return route->bytes_per_s && route->nr_links &&
	       (route->two_ways || bank->write_bytes_per_s || bank->stream_bytes_per_s);
}

bool platform_has_gate(const struct machine *m, int nid)
{
	for (int from = 0; from < machine_nr_places(m); from++)
		if (has_parts(m, from, nid))
			return true;
	return false;
}

/* The way as far as the bank. */
static void put_route_to_gate(FILE *out, const struct machine *m, int from, int to)
{
	const struct machine_route *route = machine_route(m, from, to);

	if (!has_parts(m, from, to))
		return;
	fprintf(out, "\t\t\t<route src=\"node%d\" dst=\"gate%d\" symmetrical=\"%s\">", from, to,
		route->two_ways ? "NO" : "YES");
	put_way(out, m, route, false);
	fputs("</route>\n", out);
	if (!route->two_ways)
		return;
	fprintf(out, "\t\t\t<route src=\"gate%d\" dst=\"node%d\" symmetrical=\"NO\">", to, from);
	put_way(out, m, route, true);
	fputs("</route>\n", out);
}

/* And the bank alone. */
static void put_route_to_itself(FILE *out, const struct machine *m, int nid, struct channel_set set)
{
	fputs("\t\t\t<route src=\"", out);
	put_bank_name(out, nid, set);
	fputs("\" dst=\"", out);
	put_bank_name(out, nid, set);
	fputs("\" symmetrical=\"NO\">", out);
	put_bank_links(out, m, nid, set);
	fputs("</route>\n", out);
}

/* A link of the machine: one of SimGrid's, or one for what is read and one for what is written. */
static void put_links(FILE *out, const struct machine *m, int i)
{
	const struct machine_link *link = &m->links[i];
	struct put_link put = {
		.id = "link",
		.suffix = "",
		.nr = i,
		.latency_ps = link->latency_ps,
		.bytes_per_s = link->bytes_per_s,
		.name = link->name,
	};

	put_link(out, &put);
	if (!link->write_bytes_per_s)
		return;
	put.suffix = "w";
	put.bytes_per_s = platform_link_write_rate(m, i);
	put_link(out, &put);
}

/* The sets of a bank's channels: the i-th, -1: all of them. */
static struct channel_set set_at(const struct machine_bank *bank, int i)
{
	return i < 0 ? (struct channel_set){0} : channel_set_at(bank->channels, (unsigned)i);
}

static int nr_sets(const struct machine_bank *bank)
{
	return bank_has_channels(bank) ? (int)channel_sets(bank->channels) : 0;
}

static void put_bank_hosts(FILE *out, const struct machine_bank *bank, int nid)
{
	for (int i = -1; i < nr_sets(bank); i++) {
		fputs("\t\t\t<host id=\"", out);
		put_bank_name(out, nid, set_at(bank, i));
		fputs("\" speed=\"1f\"/>\n", out);
	}
}

/* The bank as a link, and its channels. */
static void put_bank(FILE *out, const struct machine_bank *bank, int nid)
{
	char suffix[16];

	put_link(out, &(struct put_link){
			      .id = "bank",
			      .suffix = "",
			      .nr = nid,
			      .latency_ps = bank->latency_ps,
			      .bytes_per_s = bank->bytes_per_s,
		      });
	for (unsigned i = 0; bank_has_channels(bank) && i < bank->channels; i++) {
		snprintf(suffix, sizeof(suffix), ".%u", i);
		put_link(out, &(struct put_link){
				      .id = "channel",
				      .suffix = suffix,
				      .nr = nid,
				      .bytes_per_s = bank->bytes_per_s,
			      });
	}
}

static void put_gates(FILE *out, const struct machine *m)
{
	for (int to = 0; to < machine_nr_places(m); to++) {
		if (!platform_has_gate(m, to))
			continue;
		for (int from = 0; from < machine_nr_places(m); from++)
			put_route_to_gate(out, m, from, to);
		for (int i = -1; i < nr_sets(&m->banks[to]); i++)
			put_route_to_itself(out, m, to, set_at(&m->banks[to], i));
	}
}

static void put_memory(FILE *out, const struct machine *m)
{
	int nr_nodes = machine_nr_places(m);

	fputs("\t\t<zone id=\"memory\" routing=\"Full\">\n", out);
	for (int nid = 0; nid < nr_nodes; nid++)
		fprintf(out, "\t\t\t<host id=\"node%d\" speed=\"1f\"/>\n", nid);
	for (int nid = 0; nid < nr_nodes; nid++)
		if (m->banks[nid].bytes_per_s)
			put_bank_hosts(out, &m->banks[nid], nid);
	for (int nid = 0; nid < nr_nodes; nid++)
		if (platform_has_gate(m, nid))
			fprintf(out, "\t\t\t<host id=\"gate%d\" speed=\"1f\"/>\n", nid);
	for (int nid = 0; nid < nr_nodes; nid++)
		if (m->banks[nid].bytes_per_s)
			put_bank(out, &m->banks[nid], nid);
	for (int i = 0; i < m->nr_links; i++)
		if (m->links[i].wire == i)
			put_links(out, m, i);
	for (int from = 0; from < nr_nodes; from++)
		for (int to = 0; to < nr_nodes; to++)
			for (int i = -1; i < nr_sets(&m->banks[to]); i++)
				put_route(out, m, from, to, set_at(&m->banks[to], i));
	put_gates(out, m);
	fputs("\t\t</zone>\n", out);
}

static void put_disks(FILE *out, const struct machine *m)
{
	if (!m->nr_disks)
		return;
	fputs("\t\t<zone id=\"disks\" routing=\"Full\">\n"
	      "\t\t\t<host id=\"storage\" speed=\"1f\"/>\n",
	      out);
	for (int i = 0; i < m->nr_disks; i++)
		fprintf(out, "\t\t\t<host id=\"disk%d\" speed=\"1f\"/>\n", i);
	for (int i = 0; i < m->nr_disks; i++) {
		const struct machine_disk *d = &m->disks[i];
		uint64_t read = d->read_bytes_per_s, write = d->write_bytes_per_s;

		put_link(out, &(struct put_link){"disk", "", i, d->latency_ps,
						 read > write ? read : write, d->name});
		put_link(out, &(struct put_link){"disk_read", "", i, 0, read, NULL});
		put_link(out, &(struct put_link){"disk_write", "", i, 0, write, NULL});
	}
	for (int i = 0; i < m->nr_disks; i++)
		for (int write = 0; write < 2; write++) {
			fprintf(out,
				write ? "\t\t\t<route src=\"storage\" dst=\"disk%d\""
				      : "\t\t\t<route src=\"disk%d\" dst=\"storage\"",
				i);
			fprintf(out,
				" symmetrical=\"NO\"><link_ctn id=\"disk_%s%d\"/>"
				"<link_ctn id=\"disk%d\"/></route>\n",
				write ? "write" : "read", i, i);
		}
	fputs("\t\t</zone>\n", out);
}

char *platform_xml(const struct machine *m)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs("<?xml version=\"1.0\"?>\n"
	      "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
	      "<!-- One second here is one simulated nanosecond: speeds are cycles a nanosecond,\n"
	      "     bandwidths bytes a nanosecond, latencies nanoseconds. -->\n"
	      "<platform version=\"4.1\">\n"
	      "\t<zone id=\"machine\" routing=\"None\">\n"
	      "\t\t<prop id=\"name\" value=\"",
	      out);
	put_attribute(out, m->name);
	fputs("\"/>\n", out);
	put_cpus(out, m);
	put_memory(out, m);
	put_disks(out, m);
	fputs("\t</zone>\n</platform>\n", out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static int write_all(int fd, const char *text)
{
	size_t len = strlen(text), done = 0;

	while (done < len) {
		ssize_t n = write(fd, text + done, len - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

int platform_file(const struct machine *m)
{
	char *xml = platform_xml(m);
	int err, fd;

	if (!xml)
		return -ENOMEM;
	fd = memfd_create("numasim-platform", MFD_CLOEXEC);
	err = fd < 0 ? -errno : write_all(fd, xml);
	free(xml);
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}
