#!/usr/bin/env bash
# A private XMPP server (Prosody) for the demo and the tests: a directory of its own with its
# configuration, certificates and data, free ports on loopback, and nothing left behind.
#
#   private_server.sh start [OPTIONS]   starts one and prints lines for eval: HOST PORT TLS_PORT
#                                       PROXY_PORT S2S_PORT COMPONENT_PORT WEBSOCKET CA_FILE
#                                       DOMAIN DIR PID
#   private_server.sh status DIR        says whether it runs
#   private_server.sh halt DIR          stops it and keeps its directory and ports
#   private_server.sh resume DIR        starts it again where it was
#   private_server.sh stop DIR          stops it and removes its directory
#
#   --account NAME[:PASSWORD]   an account; all of these are contacts of each other; without a
#                               password it is secret, here and in the next
#   --stranger NAME[:PASSWORD]  an account that is on nobody's roster
#   --domain NAME               the server's domain; default: localhost
#   --listen ADDRESS            listen here in place of 127.0.0.1
#   --port PORT                 take logins here in place of a free port: at 5222 every client looks
#   --listen-also ADDRESS       and here, such as at an address of the other family
#   --certificate KIND          good (default), self-signed, expired or wrong-name
#   --no-tls                    offer no TLS at all
#   --websocket                 take logins of browsers, too (RFC 7395)
#   --log LEVEL                 what its log tells: debug (default) or info
#   --limit RATE                such as 10kb/s, which is what a stock Prosody allows a client
#   --stanza-limit BYTES        the largest stanza of a client; default: 1 MiB
#   --resume-time SECONDS       how long a lost stream can be resumed (XEP-0198); default: 60
#   --without MODULE            leave a Prosody module out, such as smacks, carbons or mam
#   --module mod_NAME.lua       a Prosody module to load, to tamper with stanzas on their way
#   --stun HOST:PORT            announce this STUN server (XEP-0215)
#   --turn HOST:PORT:TRANSPORT:SECRET
#                               announce this TURN server; TRANSPORT: udp, tcp or tls
#   --proxy                     offer a SOCKS5 proxy for files (XEP-0065)
#   --upload BYTES              keep uploaded files up to this size (XEP-0363)
#   --component NAME:SECRET     let a program be the server of this domain (XEP-0114)
#   --federate WAY              talk to other servers, which show who they are by dialback or
#                               certificates (of this server's authority)
#   --contact JID               somebody on another server, a contact of every --account
set -euo pipefail

usage() {
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0"
    exit "$1"
}

fail() {
    echo "private_server.sh: $*" >&2
    exit 1
}

accounts=() strangers=() without=() services=() plugins=() others=()
domain=localhost listen=127.0.0.1 listen_also='' certificate=good tls=yes limit='' log=debug proxy=no
upload='' component='' websocket=no stanza_limit=$((1024 * 1024)) resume_time=60 federate=''

read_options() {
    while [ $# -gt 0 ]; do
        case $1 in
            --no-tls) tls=no; shift; continue ;;
            --websocket) websocket=yes; shift; continue ;;
            --proxy) proxy=yes; shift; continue ;;
            --help) usage 0 ;;
        esac
        [ $# -ge 2 ] || fail "$1 is unknown or lacks its value; see --help"
        case $1 in
            --account) accounts+=("$2") ;;
            --stranger) strangers+=("$2") ;;
            --domain) domain=$2 ;;
            --listen) listen=$2 ;;
            --port) wanted_port=$2 ;;
            --listen-also) listen_also=$2 ;;
            --certificate) certificate=$2 ;;
            --log) log=$2 ;;
            --limit) limit=$2 ;;
            --without) without+=("$2") ;;
            --module) plugins+=("$(realpath "$2")") ;;
            --stun) add_stun "$2" ;;
            --turn) add_turn "$2" ;;
            --upload) upload=$2 ;;
            --component) component=$2 ;;
            --stanza-limit) stanza_limit=$2 ;;
            --resume-time) resume_time=$2 ;;
            --federate)
                case $2 in
                    dialback | certificates) federate=$2 ;;
                    *) fail '--federate knows dialback and certificates' ;;
                esac
                ;;
            --contact) others+=("$2") ;;
            *) fail "unknown option $1; see --help" ;;
        esac
        shift 2
    done
}

add_stun() {
    services+=("{ type = 'stun', transport = 'udp', host = '${1%:*}', port = ${1##*:} }")
}

add_turn() {
    local host port transport secret type=turn
    IFS=: read -r host port transport secret <<<"$1"
    [ -n "$secret" ] || fail "--turn wants HOST:PORT:TRANSPORT:SECRET"
    [ "$transport" != tls ] || { type=turns transport=tcp; }
    services+=("{ type = '$type', algorithm = 'turn', transport = '$transport', host = '$host',
        port = $port, secret = '$secret', ttl = 3600 }")
}

# Prosody's name for a file: everything but letters and digits as %xx.
file_name() {
    local text=$1 out='' c
    while [ -n "$text" ]; do
        c=${text:0:1} text=${text:1}
        case $c in
            [a-zA-Z0-9]) out+=$c ;;
            *) out+=$(printf '%%%02x' "'$c") ;;
        esac
    done
    echo "$out"
}

# One authority and one server certificate, whatever KIND says is wrong with it.
make_certificates() {
    local name=$domain days=30 subject="/CN=$domain"
    cd "$dir/certs"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
        -subj '/CN=Authority of a private test server' -keyout ca.key -out ca.pem 2>/dev/null
    [ "$certificate" != wrong-name ] || name=another.invalid subject=/CN=another.invalid
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$subject" \
        -keyout server.key -out server.csr 2>/dev/null
    printf 'subjectAltName=DNS:%s\n' "$name" >extensions
    case $certificate in
        self-signed)
            openssl x509 -req -in server.csr -signkey server.key -days 30 -extfile extensions \
                -out server.pem 2>/dev/null
            ;;
        good | wrong-name | expired)
            [ "$certificate" != expired ] || days=-1
            openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial \
                -days $days -extfile extensions -out server.pem 2>/dev/null
            ;;
        *) fail "--certificate knows good, self-signed, expired and wrong-name" ;;
    esac
    cd - >/dev/null
}

write_account() { # NAME[:PASSWORD] CONTACT...
    local user=${1%%:*} password=secret contact data
    case $1 in *:*) password=${1#*:} ;; esac
    shift
    data=$dir/data/$(file_name "$domain")
    mkdir -p "$data/accounts" "$data/roster"
    user=$(file_name "$user")
    echo "return { [\"password\"] = \"$password\" };" >"$data/accounts/$user.dat"
    {
        echo 'return { [false] = { ["version"] = 1; ["pending"] = {} };'
        for contact; do
            contact=${contact%%:*}
            case $contact in *@*) ;; *) contact+=@$domain ;; esac
            echo "[\"$contact\"] = { [\"subscription\"] = \"both\";" \
                "[\"name\"] = \"${contact%@*}\"; [\"groups\"] = {} };"
        done
        echo '};'
    } >"$data/roster/$user.dat"
}

write_accounts() {
    local account other contacts
    for account in "${accounts[@]}"; do
        contacts=("${others[@]}")
        for other in "${accounts[@]}"; do
            [ "$other" = "$account" ] || contacts+=("$other")
        done
        write_account "$account" "${contacts[@]}"
    done
    for account in "${strangers[@]}"; do
        write_account "$account"
    done
}

modules() {
    local module
    for module in roster saslauth tls disco ping time version carbons smacks mam offline csi pep \
        blocklist external_services limits websocket dialback; do
        case $module in
            tls) [ $tls = yes ] || continue ;;
            limits) [ -n "$limit" ] || continue ;;
            websocket) [ $websocket = yes ] || continue ;;
            external_services) [ ${#services[@]} -gt 0 ] || continue ;;
            dialback) [ "$federate" = dialback ] || continue ;;
        esac
        case " ${without[*]} " in *" $module "*) continue ;; esac
        printf '"%s", ' "$module"
    done
    for module in "${plugins[@]}"; do
        module=${module##*/mod_}
        printf '"%s", ' "${module%.lua}"
    done
}

write_configuration() {
    local service root=false disabled=''
    [ "$(id -u)" -ne 0 ] || root=true
    case $federate in
        '') disabled='"s2s", "s2s_auth_certs"' ;;
        dialback) disabled='"s2s_auth_certs"' ;;
    esac
    {
        cat <<END
run_as_root = $root
pidfile = "$dir/prosody.pid"
data_path = "$dir/data"
plugin_paths = { "$dir/modules" }
log = { $log = "$dir/prosody.log" }
interfaces = { "$listen"${listen_also:+, \"$listen_also\"} }
local_interfaces = { "127.0.0.1" }
c2s_ports = { $port }
c2s_direct_tls_ports = { $([ $tls = no ] || echo "$tls_port") }
s2s_ports = { $([ -z "$federate" ] || echo "$s2s_port") }
s2s_secure_auth = $([ "$federate" = certificates ] && echo true || echo false)
http_interfaces = { "$listen" }
http_ports = { $([ $websocket = no ] || echo "$http_port") }
http_default_host = "$domain"
consider_websocket_secure = true
https_ports = { $([ -z "$upload" ] || echo "$https_port") }
component_ports = { $([ -z "$component" ] || echo "$component_port") }
proxy65_ports = { $([ $proxy = no ] || echo "$proxy_port") }
c2s_require_encryption = $([ $tls = yes ] && echo true || echo false)
allow_unencrypted_plain_auth = $([ $tls = yes ] && echo false || echo true)
c2s_stanza_size_limit = $stanza_limit
c2s_timeout = 60
authentication = "internal_plain"
storage = "internal"
smacks_hibernation_time = $resume_time
modules_enabled = { $(modules) }
modules_disabled = { $disabled }
END
        [ $tls = no ] ||
            echo "ssl = { key = '$dir/certs/server.key', certificate = '$dir/certs/server.pem'," \
                "cafile = '$dir/certs/ca.pem' }"
        [ -z "$limit" ] || echo "limits = { c2s = { rate = '$limit', burst = '2s' } }"
        echo 'external_services = {'
        for service in "${services[@]}"; do echo "    $service,"; done
        echo '}'
        echo "VirtualHost '$domain'"
        [ $proxy = no ] || write_proxy
        [ -z "$upload" ] || write_upload
        [ -z "$component" ] || write_component
    } >"$dir/prosody.cfg.lua"
}

write_proxy() {
    echo "Component 'proxy.$domain' 'proxy65'"
    echo "    proxy65_address = '$listen'"
}

write_component() {
    echo "Component '${component%%:*}'"
    echo "    component_secret = '${component#*:}'"
}

write_upload() {
    local certificate="certificate = '$dir/certs/server.pem', key = '$dir/certs/server.key'"
    echo "Component 'upload.$domain' 'http_file_share'"
    echo "    http_file_share_size_limit = $upload"
    echo "    http_external_url = 'https://$domain:$https_port/'"
    echo "    http_host = '$domain'"
    echo "    ssl = { $certificate }"
}

# A port below those that the kernel gives out by itself; run() notices if it is taken after all.
choose_port() {
    local candidate
    while :; do
        candidate=$((10000 + (RANDOM * 32768 + RANDOM) % 20000))
        (exec 3<>"/dev/tcp/$listen/$candidate") 2>/dev/null || break
    done
    echo $candidate
}

running() { # true if the process on file is the Prosody of this directory
    local pid
    [ -s "$dir/pid" ] || return 1
    pid=$(<"$dir/pid")
    tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qxF "$dir/prosody.cfg.lua"
}

ports_taken() {
    grep -q 'Failed to open server port' "$dir/prosody.log" 2>/dev/null
}

# Starts Prosody and waits until it listens. 1: a port was taken.
run() {
    local try host
    : >"$dir/prosody.log"
    setsid prosody --config "$dir/prosody.cfg.lua" -F >"$dir/output.log" 2>&1 </dev/null &
    echo $! >"$dir/pid"
    host=$(sed -n 's/^interfaces = { "\([^"]*\)".*/\1/p' "$dir/prosody.cfg.lua")
    port=$(sed -n 's/^c2s_ports = { \(.*\) }/\1/p' "$dir/prosody.cfg.lua")
    for try in $(seq 300); do
        if ports_taken; then
            end_process
            return 1
        fi
        if running && (exec 3<>"/dev/tcp/$host/$port") 2>/dev/null; then
            return 0
        fi
        sleep 0.1
    done
    tail -n 20 "$dir/output.log" "$dir/prosody.log" >&2
    end_process
    fail 'Prosody did not start'
}

end_process() {
    local pid try
    running || return 0
    pid=$(<"$dir/pid")
    kill -CONT "$pid" 2>/dev/null || true
    kill "$pid" 2>/dev/null || true
    for try in $(seq 50); do
        running || return 0
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
}

start() {
    read_options "$@"
    command -v prosody >/dev/null || fail 'Prosody is not installed; see scripts/install-packages.sh'
    dir=$(mktemp -d "${TMPDIR:-/tmp}/jingle-server.XXXXXX")
    trap 'end_process; rm -rf "$dir"' EXIT
    mkdir -p "$dir/certs" "$dir/data" "$dir/modules"
    for plugin in "${plugins[@]}"; do cp "$plugin" "$dir/modules"; done
    make_certificates
    write_accounts
    for try in 1 2 3 4 5 6 7 8 9 10; do
        port=${wanted_port:-$(choose_port)} tls_port=$(choose_port) http_port=$(choose_port)
        proxy_port=$(choose_port) https_port=$(choose_port) s2s_port=$(choose_port)
        component_port=$(choose_port)
        write_configuration
        if run; then
            break
        fi
        [ -z "$wanted_port" ] || fail "port $wanted_port, or one of the others, is taken"
        [ "$try" -lt 10 ] || fail 'no free ports'
    done
    trap - EXIT
    {
        echo "HOST=$listen"
        echo "PORT=$port"
        [ $tls = no ] || echo "TLS_PORT=$tls_port"
        [ $proxy = no ] || echo "PROXY_PORT=$proxy_port"
        [ -z "$federate" ] || echo "S2S_PORT=$s2s_port"
        [ -z "$component" ] || echo "COMPONENT_PORT=$component_port"
        [ $websocket = no ] || echo "WEBSOCKET=ws://$listen:$http_port/xmpp-websocket"
        echo "DOMAIN=$domain"
        echo "CA_FILE=$dir/certs/ca.pem"
        echo "DIR=$dir"
    } >"$dir/environment"
    print_environment
}

print_environment() {
    cat "$dir/environment"
    echo "PID=$(<"$dir/pid")"
}

known_directory() {
    [ $# -eq 1 ] || usage 2 >&2
    dir=$1
    [ -s "$dir/prosody.cfg.lua" ] || fail "$dir is not the directory of a private server"
}

action=${1:---help}
shift || true
case $action in
    start) start "$@" ;;
    status)
        known_directory "$@"
        if running; then echo "running, process $(<"$dir/pid")"; else echo 'not running'; exit 1; fi
        ;;
    halt)
        known_directory "$@"
        end_process
        ;;
    resume)
        known_directory "$@"
        running || run || fail 'its port is taken by another program'
        print_environment
        ;;
    stop)
        known_directory "$@"
        end_process
        rm -rf "$dir"
        ;;
    --help) usage 0 ;;
    *) usage 2 >&2 ;;
esac
