import { BIN, run, userEnv } from './run.js'

/** What the process used, printed as its last line of stderr when it ends. */
const MEASURE = `data:text/javascript,${encodeURIComponent(
  `process.on('exit',()=>{const u=process.resourceUsage();require('node:fs').writeSync(2,'\\n@'+JSON.stringify([u.maxRSS/1024,(u.userCPUTime+u.systemCPUTime)/1e6]))});import{createRequire}from'node:module';const require=createRequire('file:///')`,
)}`

export interface Measured {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly mib: number
  /** Of processor time: the wall's depends on what else the machine does. */
  readonly seconds: number
}

/** Runs `albertkit` with `args` and measures it. */
export async function measured(args: readonly string[]): Promise<Measured> {
  const result = await run(process.execPath, ['--import', MEASURE, BIN, ...args], { env: userEnv() })
  const [stderr = '', usage = '[]'] = result.stderr.split('\n@')
  const [mib = Infinity, seconds = Infinity] = JSON.parse(usage) as number[]
  return { ...result, stderr, mib, seconds }
}
