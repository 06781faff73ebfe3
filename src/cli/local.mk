# SPDX-License-Identifier: GPL-2.0-or-later
bin_PROGRAMS += rnet
noinst_HEADERS += src/cli/commands.h
noinst_HEADERS += src/cli/container-options.h
noinst_HEADERS += src/cli/network-options.h
noinst_HEADERS += src/cli/syntax.h
rnet_SOURCES =
rnet_SOURCES += src/cli/main.c
rnet_SOURCES += src/cli/container-options.c
rnet_SOURCES += src/cli/network-options.c
rnet_SOURCES += src/cli/syntax.c
rnet_SOURCES += src/cli/cmd-attach.c
rnet_SOURCES += src/cli/cmd-create.c
rnet_SOURCES += src/cli/cmd-dialect.c
rnet_SOURCES += src/cli/cmd-doctor.c
rnet_SOURCES += src/cli/cmd-events.c
rnet_SOURCES += src/cli/cmd-exec.c
rnet_SOURCES += src/cli/cmd-features.c
rnet_SOURCES += src/cli/cmd-lifecycle.c
rnet_SOURCES += src/cli/cmd-list.c
rnet_SOURCES += src/cli/cmd-pause.c
rnet_SOURCES += src/cli/cmd-ps.c
rnet_SOURCES += src/cli/cmd-run.c
rnet_SOURCES += src/cli/cmd-spec.c
rnet_SOURCES += src/cli/cmd-up.c
rnet_SOURCES += src/cli/cmd-update.c
rnet_LDADD = libdialect.a libruntime.a libnet.a liboci.a libsys.a libutil.a \
	$(RNET_LIBS)
