# bash completion for wiregrade(1). Commands, options, labs and requirements are what wiregrade itself says they are.

_wiregrade_commands() { wiregrade help --lang en 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\)  *[a-z].*/\1/p'; }
_wiregrade_options() { { wiregrade help "$1" 2>/dev/null; echo ' --lang'; } | grep -o -- '--[a-z][a-z-]*' | sort -u; }
_wiregrade_labs() { wiregrade list 2>/dev/null | cut -f 1; }
_wiregrade_formats() { wiregrade help report --lang en 2>/dev/null | sed -n 's/^  \([a-z][a-z0-9]*\)   *[A-Za-z].*/\1/p'; }

_wiregrade() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_wiregrade_commands)" -- "$word")
    return
  fi
  case $before in
  --lab) mapfile -t COMPREPLY < <(compgen -W "$(_wiregrade_labs)" -- "$word") ; return ;;
  --format) mapfile -t COMPREPLY < <(compgen -W "$(_wiregrade_formats)" -- "$word") ; return ;;
  --lang) mapfile -t COMPREPLY < <(compgen -W 'en zh_CN' -- "$word") ; return ;;
  --clock)
    local clocks='virtual real'
    [ "$command" != verify ] || clocks+=' both'
    mapfile -t COMPREPLY < <(compgen -W "$clocks" -- "$word")
    return
    ;;
  --json | --junit | --output | --course | --roster) mapfile -t COMPREPLY < <(compgen -f -- "$word") ; return ;;
  --html)
    if [ "$command" = verify ]; then
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
    else
      mapfile -t COMPREPLY < <(compgen -d -- "$word")
    fi
    return
    ;;
  --captures | --suite | --out) mapfile -t COMPREPLY < <(compgen -d -- "$word") ; return ;;
  esac
  case $command,$word in
  *,-*) mapfile -t COMPREPLY < <(compgen -W "$(_wiregrade_options "$command")" -- "$word") ;;
  try,*)
    if [ "$COMP_CWORD" -eq 2 ]; then
      mapfile -t COMPREPLY < <(compgen -W "$(_wiregrade_labs)" -- "$word")
    else
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
    ;;
  explain,*) mapfile -t COMPREPLY < <(compgen -W "$(_wiregrade_labs)" -S . -- "$word") ;;
  help,*) mapfile -t COMPREPLY < <(compgen -W "$(_wiregrade_commands)" -- "$word") ;;
  *) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
  esac
}
complete -o filenames -F _wiregrade wiregrade
