# SPDX-License-Identifier: GPL-2.0-or-later
EXTRA_DIST += doc/ARCHITECTURE.md doc/CONFORMANCE.md doc/PERFORMANCE.md
EXTRA_DIST += doc/STYLE.md doc/hooks.md doc/rnet.1.scd

if HAVE_SCDOC
dist_man_MANS += doc/rnet.1
CLEANFILES += doc/rnet.1
doc/rnet.1: doc/rnet.1.scd
	$(AM_V_GEN)$(MKDIR_P) doc && \
	$(SCDOC) <$(top_srcdir)/doc/rnet.1.scd >$@.tmp && mv $@.tmp $@
endif
