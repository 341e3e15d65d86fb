# bash completion for paddock, zkCli.sh and zkServer.sh.
#
# What can be asked of the programs themselves is asked (`paddock help`, `--help`, `help --all`), so that
# nothing here can be older than the program. Paths of znodes are asked of the server of the line.

_paddock_commands() {
    "$1" help 2>/dev/null | sed -n 's/^paddock \([a-z][a-z-]*\) .*/\1/p' | sort -u
}

# The options in a text of help: words that begin with a dash, where options are listed.
_paddock_options() {
    "$@" 2>&1 </dev/null | sed 's/[^-A-Za-z0-9]/ /g' | tr ' ' '\n' |
        grep -E '^--?[A-Za-z][-A-Za-z0-9]*$' | sort -u
}

_paddock_cli_commands() {
    "$@" help --all 2>/dev/null </dev/null | sed -n 's/^\t\([A-Za-z0-9]*\) .*/\1/p'
}

# The znodes that begin with $cur, of the server that the line names.
_paddock_znodes() {
    local parent="${cur%/*}" names name
    [ -n "$parent" ] || parent=/
    names="$(timeout 1 "${program[@]}" ${server:+-server "$server"} ls "$parent" 2>/dev/null \
        </dev/null | sed -n 's/^\[\(.*\)\]$/\1/p')"
    parent="${parent%/}"
    local IFS=,
    for name in $names; do
        name="${name# }"
        [ -n "$name" ] && printf '%s\n' "$parent/$name"
    done
}

# The words of zkCli.sh, from the word number $1 on. `program`: what runs it.
_paddock_cli() {
    local i="$1" server="" command=""
    while [ "$i" -lt "$COMP_CWORD" ]; do
        case "${COMP_WORDS[i]}" in
        -server)
            # bash takes a host, a colon and a port for three words
            i=$((i + 1))
            server="${COMP_WORDS[i]-}"
            while [ $((i + 1)) -lt "$COMP_CWORD" ] && { [ "${COMP_WORDS[i + 1]}" = : ] ||
                [ "${COMP_WORDS[i]}" = : ]; }; do
                i=$((i + 1))
                server="$server${COMP_WORDS[i]}"
            done
            ;;
        -timeout | -client-configuration | --output) i=$((i + 1)) ;;
        -*) ;;
        *)
            command="${COMP_WORDS[i]}"
            break
            ;;
        esac
        i=$((i + 1))
    done
    if [ "$prev" = --output ]; then
        COMPREPLY=($(compgen -W "text json" -- "$cur"))
        return
    fi
    if [ -z "$command" ]; then
        case "$prev" in
        -client-configuration) COMPREPLY=($(compgen -f -- "$cur")) && return ;;
        -server | -timeout) return ;;
        esac
        case "$cur" in
        -*) COMPREPLY=($(compgen -W "-server -timeout -r -waitforconnection -client-configuration --output \
            --exit-codes" -- "$cur")) ;;
        *) COMPREPLY=($(compgen -W "$(_paddock_cli_commands "${program[@]}")" -- "$cur")) ;;
        esac
        return
    fi
    case "$cur" in
    /*)
        local znodes="$(_paddock_znodes)" IFS=$'\n'
        COMPREPLY=($(compgen -W "$znodes" -- "$cur"))
        compopt -o nospace 2>/dev/null
        ;;
    -*)
        if [ "$command" = bench ]; then
            COMPREPLY=($(compgen -W "$(_paddock_options "$paddock" bench --help)" -- "$cur"))
        else
            COMPREPLY=($(compgen -W "$(_paddock_options "${program[@]}" help "$command") --output" -- "$cur"))
        fi
        ;;
    *)
        case "$command" in
        help) COMPREPLY=($(compgen -W "$(_paddock_cli_commands "${program[@]}")" -- "$cur")) ;;
        lock | elect) COMPREPLY=($(compgen -c -- "$cur")) ;;
        printwatches) COMPREPLY=($(compgen -W "on off" -- "$cur")) ;;
        esac
        ;;
    esac
}

_paddock_line() {
    cur="${COMP_WORDS[COMP_CWORD]}"
    prev="${COMP_WORDS[COMP_CWORD - 1]}"
    COMPREPLY=()
}

_paddock() {
    local cur prev paddock="$1" program=("$1" cli)
    _paddock_line
    if [ "$COMP_CWORD" = 1 ]; then
        COMPREPLY=($(compgen -W "$(_paddock_commands "$1") --help --version" -- "$cur"))
        return
    fi
    case "${COMP_WORDS[1]}" in
    cli)
        _paddock_cli 2
        return
        ;;
    version | help) return ;;
    esac
    case "$cur" in
    -*) COMPREPLY=($(compgen -W "$(_paddock_options "$1" "${COMP_WORDS[1]}" --help)" -- "$cur")) ;;
    *)
        if [ "${COMP_WORDS[1]}" = bench ] && [ "$prev" = --op ]; then
            COMPREPLY=($(compgen -W "get set create mix watch idle none" -- "$cur"))
        elif [ "${COMP_WORDS[1]}" = server ] && [ "$prev" = --log-level ]; then
            COMPREPLY=($(compgen -W "error warn info debug trace" -- "$cur"))
        elif [ "${COMP_WORDS[1]}" = four-letter ] && [ "$COMP_CWORD" -gt 2 ]; then
            COMPREPLY=($(compgen -W "conf cons crst dirs dump envi gtmk hash isro mntr orst ruok srst \
                srvr stat stmk wchc wchp wchs" -- "$cur"))
        else
            COMPREPLY=($(compgen -f -- "$cur"))
        fi
        ;;
    esac
}

_zkcli() {
    local cur prev paddock="${PADDOCK:-paddock}" program=("$1")
    _paddock_line
    _paddock_cli 1
}

_zkserver() {
    local cur prev
    _paddock_line
    if [ "$prev" = --config ]; then
        COMPREPLY=($(compgen -d -- "$cur"))
    elif [ "$COMP_CWORD" = 1 ] || { [ "${COMP_WORDS[1]}" = --config ] && [ "$COMP_CWORD" = 3 ]; }; then
        COMPREPLY=($(compgen -W "--config start start-foreground stop version restart status print-cmd" \
            -- "$cur"))
    else
        COMPREPLY=($(compgen -f -- "$cur"))
    fi
}

complete -F _paddock paddock
complete -F _zkcli zkCli.sh zkCli
complete -F _zkserver zkServer.sh zkServer
