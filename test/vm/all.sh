#!/usr/bin/env bash
# `npm run test:vm`: what this machine's kernel cannot show, on Debian's kernel in a virtual machine. Arguments name
# boots of boots.ts. Needs root only to install packages that are missing, and what test/run.sh builds.
set -euo pipefail
cd "$(dirname "$0")/../.."
bash install/setup.sh test
export PATH="$PWD/node_modules/.bin:$PATH"
# Every start of Node pays for reading these certificates.
unset NODE_EXTRA_CA_CERTS
node install/build.ts
# Prepared once here: two boots at the same time would each want to.
bash test/vm/run.sh --prepare --modules --memory 2048
exec node test/vm/all.ts "$@"
