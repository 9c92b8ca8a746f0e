import * as Flags from '@oclif/core/flags'
import { onInterrupt } from '../base/interrupt.js'
import { AlbertkitCommand } from './common/base.js'

export default class Serve extends AlbertkitCommand {
  static override summary = 'Serve the workbench, a page that examines and converts models, until interrupted.'
  static override description =
    'Prints an address of this machine to open in a browser. The page runs albertkit in the browser: models that are ' +
    'dropped on it are read there and go nowhere. Only who knows the address can open it: it has a secret in it, and ' +
    'no other machine, site or name reaches it.'
  static override examples = [
    {
      description: 'The page for any model, on any free port',
      command: '<%= config.bin %> <%= command.id %> --workbench',
    },
  ]
  static override flags = {
    workbench: Flags.boolean({ description: 'the page for any model', required: true }),
    port: Flags.integer({ description: 'port to listen on; default: any free one', min: 1, max: 65535 }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Serve)
    const { serveFiles } = await import('../api/serve/serve-files.js')
    const { workbenchFiles } = await import('../api/serve/web-files.js')
    const server = await serveFiles(workbenchFiles(), flags.port === undefined ? {} : { port: flags.port })
    onInterrupt(() => server.close())
    const { url } = server
    await this.put(this.jsonEnabled() ? JSON.stringify({ url }) : url)
    this.talk('press Ctrl-C to end')
    await server.closed
  }
}
