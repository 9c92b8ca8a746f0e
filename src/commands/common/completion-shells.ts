import type { Completion } from './complete.js'

/**
 * Functions that complete the command line in shells. Each asks `albertkit __complete`, whose first line of output says
 * which paths to add, and whose other lines are the candidates in the form that the shell takes.
 */
const BASH = `_albertkit() {
  local IFS=$'\\n' paths
  local lines=($(albertkit __complete bash "\${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null))
  paths=\${lines[0]}
  COMPREPLY=("\${lines[@]:1}")
  case $paths in
    files)
      compopt -o filenames -o default
      if ((\${#COMPREPLY[@]})); then COMPREPLY+=($(compgen -f -- "$2")); fi
      ;;
    folders) compopt -o dirnames ;;
  esac
}
complete -F _albertkit albertkit
`

const ZSH = `#compdef albertkit
_albertkit() {
  local -a lines
  local paths
  lines=("\${(@f)$(albertkit __complete zsh "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  paths=$lines[1]
  shift lines
  (( $#lines )) && _describe value lines
  case $paths in
    files) _files ;;
    folders) _files -/ ;;
  esac
}
if [[ $funcstack[1] == _albertkit ]]; then
  _albertkit "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _albertkit albertkit
fi
`

const FISH = `function __albertkit_complete
    set -l before (commandline -opc)
    set -l word (commandline -ct)
    set -l lines (albertkit __complete fish $before[2..] "$word" 2>/dev/null)
    test (count $lines) -gt 1; and printf '%s\\n' $lines[2..]
    switch "$lines[1]"
        case files
            __fish_complete_path "$word"
        case folders
            __fish_complete_directories "$word" ''
    end
end
complete -c albertkit -f -a '(__albertkit_complete)'
`

export const COMPLETION_SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH } as const
export type Shell = keyof typeof COMPLETION_SCRIPTS
export const SHELLS = Object.keys(COMPLETION_SCRIPTS) as readonly Shell[]

/** Words of a line of bash, as far as they are typed: quotes and backslashes are taken off. */
function splitLine(line: string): string[] {
  const words: string[] = []
  let [word, quote] = ['', '']
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!
    if (c === quote) quote = ''
    else if (quote === '' && (c === "'" || c === '"')) quote = c
    else if (c === '\\' && quote !== "'") word += line[++i] ?? ''
    else if (quote === '' && /\s/.test(c)) {
      if (word !== '') words.push(word)
      word = ''
    } else word += c
  }
  return [...words, word]
}

/** The words after the program's name. @param rest arguments of `__complete` after the shell's name */
export const wordsOf = (shell: string, rest: readonly string[]): string[] =>
  shell === 'bash' ? splitLine(rest[0] ?? '').slice(1) : [...rest]

/** Characters of a word that bash replaces no more: up to the last of those at which it breaks words. */
function keptBy(word: string, breaks: string): number {
  const cuts = [':', '='].filter((c) => breaks.includes(c)).map((c) => word.lastIndexOf(c) + 1)
  return Math.max(0, ...cuts)
}

/** The answer for a shell's function. */
export function shellReply(
  shell: string,
  { words, paths }: Completion,
  word: string,
  rest: readonly string[] = [],
): string {
  const fits = words.filter(({ value }) => value.startsWith(word))
  const lines = fits.map(({ value, description }) => {
    if (shell === 'bash') return value.slice(keptBy(word, rest[1] ?? ''))
    if (shell === 'fish') return description === '' ? value : `${value}\t${description}`
    const name = value.replaceAll(':', '\\:')
    return description === '' ? name : `${name}:${description}`
  })
  return [paths, ...lines].map((line) => `${line}\n`).join('')
}
