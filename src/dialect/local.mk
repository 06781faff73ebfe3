# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += libdialect.a
libdialect_a_SOURCES =
libdialect_a_SOURCES += src/dialect/slirp4netns.c
libdialect_a_SOURCES += src/dialect/slirp4netns-api.c
libdialect_a_SOURCES += src/dialect/slirp4netns-options.c
libdialect_a_SOURCES += src/dialect/slirp4netns-plan.c
libdialect_a_SOURCES += src/dialect/slirp4netns-sandbox.c
libdialect_a_SOURCES += src/dialect/slirp4netns-server.c
libdialect_a_SOURCES += src/dialect/slirp4netns-socket.c
libdialect_a_SOURCES += src/dialect/slirp4netns-texts.c
noinst_HEADERS += include/rnet/dialect/dialect.h
noinst_HEADERS += include/rnet/dialect/slirp4netns-api.h
noinst_HEADERS += include/rnet/dialect/slirp4netns-options.h
noinst_HEADERS += include/rnet/dialect/slirp4netns-plan.h
noinst_HEADERS += include/rnet/dialect/slirp4netns-sandbox.h
noinst_HEADERS += include/rnet/dialect/slirp4netns-server.h
noinst_HEADERS += include/rnet/dialect/slirp4netns-texts.h
