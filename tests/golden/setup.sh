#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tools/setup on machines that lack something, played by commands that stand in for the real ones:
# a pkg-config that knows no jansson, an apt-get that only says what it was asked.
. "$2/tests/golden/harness"
root=$PWD
bin=$tmp/bin

# stand_in NAME: a command from standard input.
stand_in()
{
	{ echo '#!/bin/sh' && cat; } >"$bin/$1"
	chmod +x "$bin/$1"
}

# machine USER-ID: the commands of a machine without jansson, and with nothing to install it.
machine()
{
	rm -rf "$bin" "$tmp/asked" "$tmp/there"
	mkdir "$bin"
	for tool in sh cat sed awk cut sort tr env mktemp rm cc make cmake; do
		ln -s "$(command -v $tool)" "$bin/$tool"
	done
	stand_in pkg-config <<-END
		[ "\$2" != jansson ] || [ -e $tmp/there ]
	END
	stand_in id <<-END
		echo $1
	END
}

# debian KNOWN: a package manager; what it knows, before an update, is a pattern for case.
debian()
{
	stand_in apt-get <<-END
		[ -z "\$SUDOED" ] || printf 'sudo ' >>$tmp/asked
		echo "\$@" | sed 's/.* \(update\|install\)/\1/' >>$tmp/asked
		[ "$2" != broken ] || { echo "E: no space" >&2; exit 100; }
		case "\$*" in *install*) : >$tmp/there ;; esac
	END
	stand_in apt-cache <<-END
		case \$1 in show) case \$3 in $1) echo Package: x ;; esac ;; esac
	END
	stand_in dpkg-query <<-END
		exit 1
	END
}

setup()
{
	ran="(tools/setup $*)"
	PATH=$bin "$root/tools/setup" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	found_status=$?
}

asked()
{
	[ "$(cat "$tmp/asked" 2>/dev/null)" = "$1" ] ||
		fail "apt-get was asked: $(cat "$tmp/asked" 2>/dev/null)"
}

# Nothing is missing.
machine 1000
: >"$tmp/there"
setup
status 0
silent out
silent err

# No package manager.
machine 0
setup
status 1
silent out
err "there is no apt-get"
err "  module jansson (Debian package libjansson-dev)"

# Not root, and no sudo.
machine 1000
debian '*'
setup
status 1
err "only root may install"
err "  module jansson (Debian package libjansson-dev)"
err "sudo apt-get update && sudo apt-get install -y libjansson-dev"
asked ""

# Not root, but a sudo that asks for no password.
machine 1000
debian '*'
stand_in sudo <<-END
	[ "\$1" = -n ] || exit 1
	shift
	[ "\$1" != true ] || exit 0
	SUDOED=yes exec "\$@"
END
setup
status 0
out "setup: installing libjansson-dev"
asked "sudo install --no-install-recommends libjansson-dev"

# A sudo that asks for one.
stand_in sudo <<-END
	exit 1
END
rm -f "$tmp/there" "$tmp/asked"
setup
status 1
err "only root may install"
asked ""

# Root; the package lists know the package.
machine 0
debian '*'
setup
status 0
asked "install --no-install-recommends libjansson-dev"

# A fresh container: no package lists.
machine 0
debian 'none'
setup
status 0
asked "update
install --no-install-recommends libjansson-dev"

# The installation fails: what apt-get said is shown.
machine 0
debian '*' broken
setup
status 1
err "E: no space"
err "  module jansson (Debian package libjansson-dev)"

# Several are missing, pkg-config too: then the packages tell whether the modules are there.
machine 1000
debian '*'
rm "$bin/pkg-config" "$bin/make"
setup
status 1
err "apt-get install -y build-essential libconfig-dev libjansson-dev libsimgrid-dev libzstd-dev pkg-config zlib1g-dev"

# For the tests, the runtime of the clang that will come.
machine 1000
debian 'libclang-rt-18-dev'
stand_in apt-cache <<-END
	case \$1 in
	depends) echo "clang"; echo "  Depends: clang-18" ;;
	show) [ \$3 != libclang-rt-18-dev ] || echo "Package: x" ;;
	esac
END
: >"$tmp/there"
setup check
status 1
err "apt-get install -y clang groff-base libclang-rt-18-dev"
end
