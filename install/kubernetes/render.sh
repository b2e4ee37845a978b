#!/usr/bin/env bash
# Writes selvedge.yaml and uninstall.yaml: what the chart makes of its own values, for those without Helm.
#   bash install/kubernetes/render.sh [DIRECTORY]      into this folder, or another
# HELM says where helm is.
set -euo pipefail
chart=$(cd "$(dirname "$0")" && pwd)
into=${1:-$chart}

rendered() { # rendered TEMPLATE [VALUES...]
  echo "# Made from templates/$1 by render.sh. For other values: kustomize, or the chart that this folder is."
  "${HELM:-helm}" template selvedge "$chart" --namespace kube-system --show-only "templates/$1" "${@:2}" |
    # Documents, each with a line of where it is from, and the empty lines that conditions leave.
    sed -e '1{/^---$/d}' -e '/^# Source: /d' -e '/^$/d'
}
rendered selvedge.yaml >"$into/selvedge.yaml"
rendered uninstall.yaml --set uninstall=true >"$into/uninstall.yaml"
