import { usage } from '../base/errors.js'
import { AlbertkitCommand } from './common/base.js'
import { COMPLETION_SCRIPTS, SHELLS, type Shell } from './common/completion-shells.js'
import { argument } from './common/flags.js'

export default class Completion extends AlbertkitCommand {
  static override summary = 'Print the function that completes commands, flags and values in a shell.'
  static override description =
    'In ~/.bashrc: eval "$(albertkit completion bash)"; in ~/.zshrc: eval "$(albertkit completion zsh)"; for fish, write ' +
    'it to ~/.config/fish/completions/albertkit.fish.'
  static override examples = [
    { description: 'In this shell', command: 'eval "$(<%= config.bin %> <%= command.id %> bash)"' },
  ]
  static override args = {
    shell: argument({ description: 'the shell', required: true, options: [...SHELLS] }),
  }

  static override flags = {}

  async run(): Promise<void> {
    const { args } = await this.parse(Completion)
    if (this.config.bin !== 'albertkit')
      throw usage(`${this.config.bin} completes its commands itself`, { code: 'option-conflict' })
    const script = COMPLETION_SCRIPTS[args.shell as Shell]
    await this.finish({ shell: args.shell, script }, () => script)
  }
}
