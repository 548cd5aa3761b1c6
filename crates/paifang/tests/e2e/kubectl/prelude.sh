# What the commands of the transcripts share.

export LC_ALL=C

# Everything in the namespace of the transcript.
kubectl() { command kubectl --namespace "$NS" "$@"; }

# make JSON: an object.
make() { kubectl create -f - <<<"$1"; }

# ingress SPEC: an Ingress.
ingress() { make "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"Ingress\",\"metadata\":{\"name\":\"x\"},\"spec\":$1}"; }

# map MANAGER DATA: applies a ConfigMap by the server.
map() { printf '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"ssa"}%s}' "${2:+,\"data\":$2}" | kubectl apply --server-side --field-manager="$1" -f -; }

# widget MANAGER SPEC: applies a Widget by the server.
widget() { printf '{"apiVersion":"demo.example/v1","kind":"Widget","metadata":{"name":"s"},"spec":%s}' "$2" | kubectl apply --server-side --field-manager="$1" -f -; }

# spec PATCH: a merge patch of the Widget's spec.
spec() { kubectl patch widget w --type=merge -p "{\"spec\":$1}"; }

# owned FINALIZERS: an owner, and what belongs to it.
owned() {
    kubectl create cm owner -o name
    make "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"owned\",\"finalizers\":$1,\"ownerReferences\":[{\"apiVersion\":\"v1\",
        \"kind\":\"ConfigMap\",\"name\":\"owner\",\"uid\":\"$(kubectl get cm owner -o jsonpath={.metadata.uid})\",\"blockOwnerDeletion\":true}]}}"
}

# maps NAME…: manifests of ConfigMaps labelled prune=x.
maps() { for i; do printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, labels: {prune: x}}\n' "$i"; done; }

# follow LINES CHANGE kubectl ARGUMENTS…: what kubectl prints that goes on, while CHANGE is done until there are so many lines.
follow() {
    local lines=$1 change=$2 out deadline=$((SECONDS + 60))
    shift 3
    out=$(mktemp)
    (exec kubectl --namespace "$NS" "$@" >"$out" 2>&1) &
    until [ "$(wc -l <"$out")" -ge "$lines" ] || [ $SECONDS -gt $deadline ]; do
        eval "$change" >/dev/null 2>&1
        sleep 0.1
    done
    kill $! 2>/dev/null
    head -n "$lines" "$out"
}

# without WORD…: lines that hold none of these.
without() { grep -v -E "$(IFS='|'; echo "$*")"; }

# What a cluster makes up for a Service, and this API leaves out.
plain() { without clusterIP '- (None|10\.|198\.)' ipFamil '- IPv4' 'loadBalancer: \{\}' '^ *status:$'; }

# Warnings of this API that a cluster has no reason for.
quiet() { grep -v '^Warning: this API runs no containers'; }
