# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += libsys.a
libsys_a_SOURCES =
noinst_HEADERS +=
libsys_a_SOURCES += src/sys/loop.c
noinst_HEADERS += include/rnet/sys/loop.h
libsys_a_SOURCES += src/sys/process.c
libsys_a_SOURCES += src/sys/caps.c
libsys_a_SOURCES += src/sys/seccomp.c
libsys_a_SOURCES += src/sys/landlock.c
noinst_HEADERS += include/rnet/sys/process.h
noinst_HEADERS += include/rnet/sys/caps.h
noinst_HEADERS += include/rnet/sys/confine.h
