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

# The names of other programs that rnet is in place of. `make install
# DIALECTS="cni"` chooses, DIALECTS= installs none; a file of that name that is
# not such a link is left alone, and an error.
DIALECTS = cni slirp4netns
dialect_names = \
	name_of() { \
	  case $$1 in \
	  cni) link=$(DESTDIR)$(bindir)/rnet-cni ;; \
	  slirp4netns) link=$(DESTDIR)$(bindir)/slirp4netns ;; \
	  *) echo "DIALECTS: \"$$1\" is none of cni, slirp4netns" >&2; exit 1 ;; \
	  esac; \
	  target=`echo rnet$(EXEEXT) | sed '$(transform)'`; \
	}

install-exec-hook:
	@$(dialect_names); \
	for dialect in $(DIALECTS); do \
	  name_of $$dialect; \
	  if test -e $$link && test "`readlink $$link`" != $$target; then \
	    echo "$$link is another program: leave $$dialect out of DIALECTS" >&2; \
	    exit 1; \
	  fi; \
	  echo " ln -s $$target $$link"; \
	  rm -f $$link && ln -s $$target $$link || exit 1; \
	done

uninstall-hook:
	@$(dialect_names); \
	for dialect in cni slirp4netns; do \
	  name_of $$dialect; \
	  test "`readlink $$link`" != $$target || rm -f $$link; \
	done
