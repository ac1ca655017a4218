// tnet completion: a script for the shell that asks tnet itself.
import { command } from '../command.ts'
import { COMPLETE } from '../completions.ts'
import type { Context } from '../io.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `_tnet() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(tnet ${COMPLETE} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _tnet tnet
`,
  zsh: `#compdef tnet
_tnet() {
  local -a words_found
  words_found=("\${(@f)$(tnet ${COMPLETE} "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a words_found || _default
}
compdef _tnet tnet
`,
  fish: `complete -c tnet -f -a '(tnet ${COMPLETE} (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
}

export const completion = command({
  command: 'completion [shell]',
  describe: 'Print a completion script for a shell',
  builder: yargs =>
    yargs
      .positional('shell', { describe: 'left out: that of $SHELL', choices: SHELLS })
      .example('$0 completion bash > /etc/bash_completion.d/tnet', '')
      .example('$0 completion zsh > /usr/share/zsh/site-functions/_tnet', '')
      .example('$0 completion fish > ~/.config/fish/completions/tnet.fish', ''),
  async run(args, { print, io }) {
    await print(SCRIPTS[args.shell ?? shellOf(io.env)])
  },
})

function shellOf(env: Context['io']['env']): Shell {
  // The launcher passes what it does not know under another name.
  const shell = env['SHELL'] ?? env['CALLER.SHELL'] ?? ''
  return SHELLS.find(each => shell.endsWith(`/${each}`)) ?? 'bash'
}
