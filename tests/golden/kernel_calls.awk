# SPDX-License-Identifier: Apache-2.0
# For kernel_calls.sh: a scenario of random calls of the kernel's functions, right and wrong.
#
#   awk -v seed=1 -v nr=150 -v machine=M.cfg -f kernel_calls.awk
function pick(list,   n, a) { n = split(list, a, " "); return a[int(rand() * n) + 1] }
function old(kinds,   n, a, all, i, k) {
	n = split(kinds, a, " "); all = ""
	for (i = 1; i <= n; i++) for (k in is) if (is[k] == a[i]) all = all " " k
	return all == "" ? "" : pick(substr(all, 2))
}
function new(kind,   k) { k = "n" int(rand() * 12); is[k] = kind; return k }
function emit(text) { printf "%s\t\t{ %s }", done++ ? ",\n" : "", text }
function maybe(p, text) { return rand() < p ? " " text : "" }
BEGIN {
	srand(seed)
	printf "machine = \"%s\";\nworkload = {\n\tkind = \"kernel\";\n\tcpus = [ 0, 1 ];\n\toperations = 3;\n\tcalls = (\n", machine
	emit("do = \"kmem_cache_create\"; name = \"n0\"; cache = \"random\"; bytes = \"120B\"; flags = \"SLAB_POISON|SLAB_RED_ZONE|SLAB_CONSISTENCY_CHECKS\";"); is["n0"] = "C"
	while (done < nr) {
		f = pick("alloc_pages alloc_pages alloc_pages_bulk alloc_contig_pages cma_alloc cma_release free_contig_range __free_pages __free_pages split_page dump_page __get_free_pages get_zeroed_page alloc_pages_exact free_pages free_pages_exact kmalloc kmalloc kzalloc krealloc ksize kfree kfree kmem_cache_create kmem_cache_alloc kmem_cache_free kmem_cache_shrink kmem_cache_destroy validate_slab_cache vmalloc vzalloc vmalloc_user vmalloc_huge vfree vfree vmap vunmap vmalloc_to_page vm_unmap_aliases kmap kunmap kunmap kmap_local_page kunmap_local kunmap_local kmap_atomic kunmap_atomic kunmap_atomic preempt_disable preempt_enable preempt_enable msleep touch touch touch")
		gfp = maybe(0.5, "gfp = \"" pick("GFP_KERNEL GFP_ATOMIC GFP_HIGHUSER GFP_HIGHUSER_MOVABLE GFP_NOWAIT GFP_DMA") "\";")
		every = maybe(0.3, "every = " int(1 + rand() * 4) ";")
		offset = maybe(0.2, "offset = \"" pick("1B 8B 4096B 64KiB") "\";")
		order = maybe(0.3, "order = " int(rand() * 5) ";")
		many = maybe(0.5, "nr = " int(1 + rand() * 20) ";")
		bytes = " bytes = \"" pick("0B 1B 64B 100B 4097B 20KiB 64KiB 3MiB 100MiB") "\";"
		if (f ~ /^(alloc_pages|__get_free_pages)$/) { emit("do = \"" f "\"; name = \"" new(f == "alloc_pages" ? "P" : "L") "\";" gfp order many); continue }
		if (f ~ /^(alloc_pages_bulk|alloc_contig_pages|cma_alloc)$/) { emit("do = \"" f "\"; name = \"" new("P") "\"; nr = " pick(f == "alloc_contig_pages" ? "512" : "1 2 16 64 512") ";" (f == "cma_alloc" ? order : gfp)); continue }
		if (f == "get_zeroed_page") { emit("do = \"" f "\"; name = \"" new("L") "\";" gfp many); continue }
		if (f == "alloc_pages_exact") { emit("do = \"" f "\"; name = \"" new("L") "\";" gfp many bytes); continue }
		if (f ~ /^k[mz]alloc$/) { emit("do = \"" f "\"; name = \"" new("O") "\";" gfp many bytes); continue }
		if (f ~ /^v[mz]alloc(_huge|_user)?$/) { emit("do = \"" f "\"; name = \"" new("A") "\";" gfp bytes); continue }
		if (f == "kmem_cache_create") { emit("do = \"" f "\"; name = \"" new("C") "\"; cache = \"c" done "\"; bytes = \"" pick("8B 100B 2000B 9000B 100000B") "\";" maybe(0.3, "flags = \"SLAB_POISON|SLAB_STORE_USER|SLAB_CONSISTENCY_CHECKS\";")); continue }
		if (f ~ /^preempt/ || f == "vm_unmap_aliases") { emit("do = \"" f "\";"); continue }
		if (f == "msleep") { emit("do = \"msleep\"; time = \"10us\";"); continue }
		kinds = "L O A"
		if (f ~ /^(cma_release|free_contig_range|__free_pages|split_page|vmap|kmap|kunmap|kmap_local_page|kmap_atomic)$/) kinds = "P"
		if (f ~ /^(dump_page|touch)$/) kinds = "P L O A M"
		if (f ~ /^kmem_cache_(alloc|shrink|destroy)$|^validate/) kinds = "C"
		if (f ~ /^(krealloc|ksize|kmem_cache_free)$/) kinds = "O"
		if (f == "vmalloc_to_page") kinds = "A"
		if (f ~ /^kunmap_(local|atomic)$/) kinds = "M"
		of = old(kinds)
		if (of == "") continue
		text = "do = \"" f "\"; of = \"" of "\";"
		if (f ~ /^(__free_pages|free_pages)$/) text = text maybe(0.1, "order = 2;")
		if (f ~ /^(free_pages|kfree|vfree|vunmap|kmem_cache_free|vmalloc_to_page|touch)$/) text = text offset
		if (f ~ /^(__free_pages|dump_page|free_pages|free_pages_exact|krealloc|kfree|kmem_cache_free|vfree|vunmap|kunmap|touch)$/) text = text every
		if (f == "krealloc") text = text bytes gfp
		if (f == "touch") text = text " bytes = \"" pick("1B 100B 4097B 70KiB") "\"; write = " pick("true false") ";"
		if (f == "kmem_cache_alloc") text = text " name = \"" new("O") "\";" gfp many
		if (f == "kmem_cache_free") { c = old("C"); if (c != "") text = text maybe(0.2, "from = \"" c "\";") }
		if (f ~ /^(vmap|vmalloc_to_page)$/) text = text " name = \"" new(f == "vmap" ? "A" : "P") "\";"
		if (f ~ /^kmap/) text = text " name = \"" new("M") "\";"
		emit(text)
	}
	print "\n\t);\n};"
}
