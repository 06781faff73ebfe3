# SPDX-License-Identifier: GPL-2.0-or-later
bin_PROGRAMS += rnet
noinst_HEADERS += src/cli/commands.h
rnet_SOURCES = src/cli/main.c src/cli/cmd-run.c
rnet_LDADD = $(RUNTIME_LIBS)
