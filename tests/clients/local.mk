# SPDX-License-Identifier: GPL-2.0-or-later
# Real clients with rnet as their runtime, or as a plugin of theirs. A program
# finds it as `rnet` in the directory that it is started in, or at $RNET_BINARY.

client_tests = \
	tests/clients/podman-rootless \
	tests/clients/podman-root \
	tests/clients/cni-root \
	tests/clients/cni-user \
	tests/clients/containerd \
	tests/clients/dev-server \
	tests/clients/docker \
	tests/clients/slirp4netns \
	tests/clients/hooks \
	tests/clients/hooks-user \
	tests/clients/hooks-podman
EXTRA_DIST += $(client_tests) \
	tests/clients/cni-cases.bash \
	tests/clients/podman-cases.bash \
	tests/clients/podman.bash \
	tests/clients/world.bash
