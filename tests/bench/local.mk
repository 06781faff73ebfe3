# SPDX-License-Identifier: GPL-2.0-or-later
# `make bench`: rnet beside its peers; no part of `make check`. bench.sh lists
# the variables (BENCH_QUICK=1, BENCH_INSTALL=1, ...).

EXTRA_PROGRAMS = tests/bench/bench-load
noinst_HEADERS += tests/bench/load.h
tests_bench_bench_load_SOURCES = \
	tests/bench/bench-load.c \
	tests/bench/load-common.c \
	tests/bench/load-serve.c \
	tests/bench/load-spawn.c \
	tests/bench/load-tcp.c \
	tests/bench/load-udp.c
# runs in a bundle that has no libraries
tests_bench_bench_load_CFLAGS = -std=gnu11 $(WARN_CFLAGS)
tests_bench_bench_load_LDFLAGS = -static

EXTRA_DIST += \
	tests/bench/bench.sh \
	tests/bench/crun-slirp4netns.sh \
	tests/bench/dialects.sh \
	tests/bench/measure.sh \
	tests/bench/report.awk \
	tests/bench/rows \
	tests/bench/runtimes.sh \
	tests/bench/variants.sh \
	tests/bench/world.sh
CLEANFILES += bench.json tests/bench/bench-load$(EXEEXT)

.PHONY: bench
bench: rnet$(EXEEXT) tests/bench/bench-load$(EXEEXT)
	@$(top_srcdir)/tests/bench/bench.sh $(abs_builddir)/rnet$(EXEEXT) \
	  $(abs_builddir)/tests/bench/bench-load$(EXEEXT) \
	  $(abs_builddir)/bench.json
