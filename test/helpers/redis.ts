import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const REDIS = spawnSync('redis-server', ['--version']).status === 0
export const NO_REDIS = 'redis-server is not installed'

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => {
        resolve(port)
      })
    })
  })

/** A separate Redis server on loopback that keeps its data across a restart. */
export class RedisServer {
  #process: ChildProcess | null = null

  private constructor(
    readonly port: number,
    readonly directory: string,
    readonly more: Readonly<Record<string, string | number>>,
  ) {}

  /** @param more settings of the server, made for its port and folder */
  static async start(
    more: (port: number, directory: string) => Readonly<Record<string, string | number>> = () => ({}),
  ): Promise<RedisServer> {
    const [port, directory] = [await freePort(), mkdtempSync(join(tmpdir(), 'albertkit-redis-'))]
    const server = new RedisServer(port, directory, more(port, directory))
    await server.run()
    return server
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  async run(): Promise<void> {
    const own = { port: this.port, bind: '127.0.0.1', dir: this.directory, appendonly: 'yes', appendfsync: 'always' }
    const flags = { ...own, ...this.more }
    const child = spawn(
      'redis-server',
      Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]),
    )
    this.#process = child
    let log = ''
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (data: Buffer) => {
        log += data.toString()
        if (log.includes('Ready to accept connections')) resolve()
      })
      child.once('exit', () => {
        reject(new Error(`redis-server ended: ${log}`))
      })
    })
  }

  async kill(): Promise<void> {
    const child = this.#process
    if (child === null) return
    this.#process = null
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.directory, { recursive: true, force: true })
  }
}
