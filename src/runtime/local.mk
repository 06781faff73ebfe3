# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += libruntime.a
libruntime_a_SOURCES =
noinst_HEADERS +=
libruntime_a_SOURCES += src/runtime/facts.c
libruntime_a_SOURCES += src/runtime/plan.c
libruntime_a_SOURCES += src/runtime/plan-files.c
noinst_HEADERS += include/rnet/runtime/plan.h
noinst_HEADERS += include/rnet/runtime/plan-files.h
libruntime_a_SOURCES += src/runtime/program.c
libruntime_a_SOURCES += src/runtime/program-elf.c
noinst_HEADERS += include/rnet/runtime/program.h
noinst_HEADERS += include/rnet/runtime/program-elf.h
