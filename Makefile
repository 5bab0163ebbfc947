# A thin front of meson and ninja; what a target does stands in the script it calls.
#
#   PREFIX    where `make install` puts the library (default /usr/local)
#   DESTDIR   a directory put before PREFIX, for packagers
#   CC        the C compiler (default: what meson finds)

PREFIX = /usr/local
DESTDIR =

.PHONY: build run test test-all fuzz bench tidy install uninstall clean help

build:
	@tools/packages run
	@tools/build release

run: build
	@tools/run-tutorials
	@tools/run-site

test:
	@tools/packages run test
	@tools/test

test-all:
	@tools/packages run test test-all
	@tools/test --all

fuzz:
	@tools/packages run test-all
	@tools/fuzz 600

bench:
	@tools/packages run bench
	@tools/build release
	@bench/run
	@build/bench/net echo stream pipeline accept idle tls-handshake tls-bulk
	@build/bench/file small-files random lines copy spawn ticker
	@build/bench/http hello pipeline file json get websocket routes idle
	@build/bench/pg rows point pipeline copy pool

tidy:
	@tools/packages test
	@tools/tidy

# The prefix is written into eddy.pc when meson configures, so a new one configures again.
install: build
	@grep -qxF 'prefix=$(PREFIX)' build/meson-private/eddy.pc || \
	    { meson setup --reconfigure build -Dprefix='$(PREFIX)' >build/prefix.log && \
	      tools/build release; }
	@DESTDIR='$(DESTDIR)' meson install -C build --no-rebuild --quiet
	@echo 'installed to $(DESTDIR)$(PREFIX)'
	@pc=$$(find '$(DESTDIR)$(PREFIX)' -name eddy.pc | head -n 1); pc=$${pc#'$(DESTDIR)'}; \
	    echo "for a prefix of your own: export PKG_CONFIG_PATH=$${pc%/*}"; \
	    echo "                          export LD_LIBRARY_PATH=$${pc%/pkgconfig/*}"

# Removes what the last install from this build/ has logged, if that went to the same place.
uninstall:
	@grep -q '^$(DESTDIR)$(PREFIX)/' build/meson-logs/install-log.txt 2>/dev/null || \
	    { echo 'build/ has no record of an install to $(DESTDIR)$(PREFIX): install there again first'; \
	      exit 1; }
	@ninja -C build --quiet uninstall
	@rmdir '$(DESTDIR)$(PREFIX)/include/eddy' 2>/dev/null || true

clean:
	rm -rf build

help:
	@echo 'make build       the library, examples, tests and benchmarks, in build/'
	@echo 'make run         plays the tutorial programs, and fetches a site of 400 pages'
	@echo 'make test        gcc, both engines, sanitizers, tidy, examples (minutes)'
	@echo 'make test-all    the same with clang, TSan, valgrind, sweeps, install (an hour)'
	@echo 'make fuzz        the fuzz targets, ten minutes each'
	@echo 'make bench       Eddy beside Go, asyncio and uvloop'
	@echo 'make tidy        layers, limits, format, documentation of the headers'
	@echo 'make install     to PREFIX ($(PREFIX)), under DESTDIR if that is set'
	@echo 'make uninstall   removes what make install has put there'
	@echo 'make clean       removes build/'
