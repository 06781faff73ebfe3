# SPDX-License-Identifier: GPL-2.0-or-later
# A unit test is added in its layer's file:
#   unit_tests += tests/unit/test-parse
#   tests_unit_test_parse_SOURCES = tests/unit/test-parse.c
#   tests_unit_test_parse_LDADD = $(UTIL_LIBS) $(CMOCKA_LIBS)
# and links that layer and those below it, no more.

LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh
LOG_COMPILER = $(top_srcdir)/tests/tap
AM_TESTS_ENVIRONMENT = CMOCKA_MESSAGE_OUTPUT=TAP; \
	export CMOCKA_MESSAGE_OUTPUT;
noinst_HEADERS += tests/unit.h
AM_CPPFLAGS += -I$(top_srcdir)/tests
unit_tests =

include tests/unit/util.mk
include tests/unit/sys.mk
include tests/unit/net.mk
include tests/unit/oci.mk
include tests/unit/runtime.mk
include tests/unit/dialect.mk
include tests/integration/local.mk
include tests/clients/local.mk
include tests/bench/local.mk

if HAVE_CMOCKA
AM_CFLAGS += $(CMOCKA_CFLAGS)
check_PROGRAMS += $(unit_tests)
cmocka_tests = $(integration_tests) $(unit_tests)

# what holds for root has to hold for everybody else, too
check-local: $(unit_tests)
	@if test "`id -u`" = 0; then \
	  $(top_srcdir)/tests/unit/as-user $(unit_tests); \
	fi
endif

# What waits longest is begun first: the handoff's tests, of which the kernel's
# TCP timers take a minute and a half, then cost a parallel run nothing.
TESTS += $(cmocka_tests) $(client_tests)

EXTRA_DIST += tests/demo/demo.sh tests/host/cgroup-v2.sh \
	tests/unit/as-user tests/tap \
	build-aux/setup build-aux/lint
.PHONY: demo
demo: rnet$(EXEEXT)
	@$(top_srcdir)/tests/demo/demo.sh $(abs_builddir)/rnet$(EXEEXT)
