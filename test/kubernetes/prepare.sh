#!/usr/bin/env bash
# Brings what test/kubernetes needs: packages, our programs, Kubernetes' (programs/build.sh), flannel's (../flannel.sh), and an
# image of ours (image.sh). A second or two when all of it is there. It ends with 69 (sysexits.h, EX_UNAVAILABLE) where packages
# or modules cannot be had.
set -euo pipefail
cd "$(dirname "$0")/../.."
bash install/setup.sh kubernetes || exit 69
bash test/kubernetes/programs/build.sh || exit 69
bash test/flannel.sh || exit 69
export PATH=$PWD/node_modules/.bin:$PATH
node install/build.ts
bash test/kubernetes/image.sh
