#!/usr/bin/env bash
# Builds Kubernetes' programs, CoreDNS and Helm from their Go modules into .cache/kubernetes, once for each state of what is here:
# some ten minutes on two processors that have nothing else to do the first time, nothing after that.
set -euo pipefail
cd "$(dirname "$0")"
into=$(cd ../../.. && pwd)/.cache/kubernetes
state=$(cat go.mod go.sum build.sh coredns/* helm/* | sha256sum | cut -d ' ' -f 1)

[ "$(cat "$into/state" 2>/dev/null)" = "$state" ] && exit 0
go=$(command -v go || echo /usr/local/go/bin/go)
[ -x "$go" ] || { echo "kubernetes: no Go here" >&2; exit 1; }

version=$("$go" list -m -f '{{.Version}}' k8s.io/kubernetes)
IFS=. read -r major minor _ <<<"${version#v}"
# A program that does not know its version refuses to start.
ldflags="-s -w"
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
  ldflags+=" -X $package.gitVersion=$version -X $package.gitMajor=$major -X $package.gitMinor=$minor"
done
mkdir -p "$into"
# The compiler leaves what it was at when it is ended.
scratch=$(mktemp -d -t kubernetes.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch
# The compiler ends before it has made so much garbage: collecting it would be in vain.
build() { GOGC=off GOMEMLIMIT=2GiB CGO_ENABLED=0 nice "$go" build -trimpath -o "$into/" "$@"; }
build -ldflags "$ldflags" \
  k8s.io/kubernetes/cmd/{kube-apiserver,kube-controller-manager,kube-proxy,kube-scheduler,kubectl,kubelet}
(cd coredns && build -ldflags "-s -w" .)
(cd helm && build -ldflags "-s -w" helm.sh/helm/v4/cmd/helm)
echo "$state" >"$into/state"
