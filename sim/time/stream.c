/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traffic of programs that run through memory: one line after the other, which the CPU sees coming,
 * or by a stride, which no prefetcher follows.
 */
#include "sim/time/internal.h"

#define DEFAULT_LINE 64 /* bytes, where the machine has no caches */

/* Of `all`, what belongs to the first i of n parts. */
static uint64_t until(uint64_t all, uint64_t i, uint64_t n)
{
	return all / n * i + all % n * i / n;
}

static uint64_t nr_lines(const struct machine *m, const struct sim_stream *stream)
{
	uint64_t line = m->cache_line_bytes ? m->cache_line_bytes : DEFAULT_LINE;
	uint64_t nr = (stream->bytes_read + stream->bytes_written) / line;

	return nr ? nr : 1;
}

/* Line by line, as many in flight as there are fill buffers; those that are read wait. */
static void by_stride(struct sim *s, struct cpu *c, const struct sim_stream *stream,
		      uint64_t nr_waits)
{
	uint64_t nr = nr_lines(s->machine, stream);

	for (uint64_t i = 0; i < nr; i++) {
		phys_addr_t at = stream->at + i * stream->stride;
		struct bank_place place = sim_bank_of(s, sim_range_of(s, c, at), at);

		cpu_charge_memory(
			c, &(struct cpu_memory_charge){
				   .bank = place.bank,
				   .at = place.at,
				   .nr_latencies = i < (c->fill_buffers ? nr_waits : 1),
				   .overlapped = nr_waits < c->fill_buffers ? (unsigned)nr_waits
									    : c->fill_buffers,
				   .past_cache = stream->past_cache,
				   .bytes_read = until(stream->bytes_read, i + 1, nr) -
						 until(stream->bytes_read, i, nr),
				   .bytes_written = until(stream->bytes_written, i + 1, nr) -
						    until(stream->bytes_written, i, nr),
			   });
	}
}

uint64_t stream_span(const struct machine *m, const struct sim_stream *stream)
{
	return stream->stride ? nr_lines(m, stream) * stream->stride
			      : stream->bytes_read + stream->bytes_written;
}

void cost_sink_stream(struct sim *s, struct cpu *c, const struct sim_stream *stream)
{
	uint64_t waited_for = stream->bytes_read + (stream->past_cache ? stream->bytes_written : 0);

	if (stream->stride) {
		by_stride(s, c, stream, lines_of(s, waited_for));
		return;
	}
	cost_sink_block(s, c, sim_range_of(s, c, stream->at), stream->at,
			&(struct cpu_memory_charge){
				.nr_latencies = 1,
				.nr_lines = lines_of(s, waited_for),
				.prefetched = true,
				.past_cache = stream->past_cache,
				.bytes_read = stream->bytes_read,
				.bytes_written = stream->bytes_written,
			});
}
