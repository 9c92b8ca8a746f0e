import * as Flags from '@oclif/core/flags'
import { noticeSignals, onInterrupt } from '../base/interrupt.js'
import { AlbertkitCommand } from './common/base.js'
import { argument } from './common/flags.js'

export default class Serve extends AlbertkitCommand {
  static override summary = 'Serve a page that tries the artefacts of a folder, or the workbench, until interrupted.'
  static override description =
    'Prints an address of this machine to open in a browser. With DIR the page reads texts with the artefacts that ' +
    '`convert` wrote there, in the runtimes of the browser, side by side; a model that was not converted is ' +
    'converted in the page. Without, or with --workbench, it is the workbench, which examines and converts models ' +
    'that are dropped on it. Nothing leaves the machine. Only who knows the address can open it: it has a secret in ' +
    'it, and no other machine, site or name reaches it.'
  static override examples = [
    {
      description: 'A page for the bundled model, on any free port',
      command: '<%= config.bin %> <%= command.id %> fixtures/zh-news',
    },
    {
      description: 'The page for any model',
      command: '<%= config.bin %> <%= command.id %> --workbench',
    },
  ]
  static override args = {
    directory: argument({ description: 'folder that `convert` wrote, or of a model; default: the workbench' }),
  }
  static override flags = {
    workbench: Flags.boolean({ description: 'the page for any model' }),
    port: Flags.integer({ description: 'port to listen on; default: any free one', min: 1, max: 65535 }),
  }

  protected override readonly endsBySignal = true

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Serve)
    const { servePage } = await import('../api/serve/serve-page.js')
    const server = await servePage({
      ...(args.directory === undefined ? {} : { directory: args.directory }),
      ...(flags.port === undefined ? {} : { port: flags.port }),
      workbench: flags.workbench,
    })
    onInterrupt(() => server.close())
    const { url } = server
    await this.put(this.jsonEnabled() ? JSON.stringify({ url }) : url)
    this.talk('press Ctrl-C to end')
    await server.closed
    // A signal closes it: what handles that ends the process.
    await noticeSignals()
  }
}
