# shellcheck shell=bash disable=SC2034
# Versions, folders and addresses, for the scripts in this folder. Sourced, never run.
#
#   this machine   paifang0 198.18.77.1   etcd, kube-apiserver, controllers, scheduler, and the gateway under test
#     └ node       eth0     198.18.77.2   namespaces of its own: containerd, kubelet, kube-proxy, pods
#
# Every address is of RFC 2544, which nobody routes.

KUBERNETES=1.36.4
ETCD=3.6.8 # the one in Kubernetes' own go.mod
CONTAINERD=2.4.2 # kubelet 1.36 asks it for its cgroup driver, which 2.0 and newer answer
RUNC=1.5.2
CNI=1.9.1
PAUSE=3.10.1
HTTPBIN=2.15.0
GATEWAY_API=1.6.3
ISTIO_API=1.31.1

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${CLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/paifang/cluster}
state=${CLUSTER_STATE:-$cache/state}
port=${CLUSTER_PORT:-16443}
binaries=$cache/kubernetes-$KUBERNETES-etcd-$ETCD
runtime=$cache/containerd-$CONTAINERD-runc-$RUNC-cni-$CNI
samples=$cache/go-httpbin-$HTTPBIN
kubeconfig=$state/admin.conf
bridge=paifang0
address=${CLUSTER_ADDRESS:-198.18.77.1}
network=${address%.*}
node_address=$network.2
# What the gateway under test may give away: eight addresses of the bridge.
pool=$network.200-$network.207
pods=198.18.78.0/24
services=198.19.0.0/16

fail() { echo "error: $*" >&2; exit 1; }

has_go() {
    local version
    version=$(go env GOVERSION 2>/dev/null) || return 1
    [ "$(printf '%s\n' go1.26 "$version" | sort --version-sort | head -n1)" = go1.26 ]
}

# go_build FOLDER NAME PACKAGE FLAGS…: in the module of the working folder, into FOLDER; there only when it is complete.
go_build() {
    local folder=$1 name=$2 package=$3
    shift 3
    [ ! -x "$folder/$name" ] || return 0
    has_go || fail "Go 1.26 or newer is needed to build $name"
    echo "building $name" >&2
    mkdir -p "$folder"
    GOFLAGS="${GOFLAGS:-} -mod=mod -trimpath -buildvcs=false" go build -o "$folder/$name.new" "$@" "$package" || fail "$name does not build"
    mv "$folder/$name.new" "$folder/$name"
}

# module NAME MODULE VERSION: a module of our own that requires it, as the working folder. Its own could hold replacements, which Go refuses.
module() {
    mkdir -p "$cache/modules/$1"
    cd "$cache/modules/$1" || fail "$cache/modules/$1 cannot be used"
    [ -s go.mod ] || printf 'module paifang.dev/cluster\ngo 1.26\nrequire %s v%s\n' "$2" "$3" >go.mod
}

# module_folder MODULE VERSION: where Go keeps a module's files.
module_folder() {
    has_go || fail "Go 1.26 or newer is needed to fetch $1"
    (cd / && go mod download -json "$1@v$2" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
}
