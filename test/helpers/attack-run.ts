import { spawn } from 'node:child_process'
import { userEnv } from './run.js'

/**
 * Written to the last of the standard streams when the main thread ends: MiB at the peak, seconds of computing, and
 * seconds for which the thread waited for a processor that others used (Linux).
 */
const USAGE = /\n@usage (\[[^\n]*\])\n/g
const MEASURE = `data:text/javascript,${encodeURIComponent(
  `import{isMainThread}from'node:worker_threads';import{readFileSync,writeSync}from'node:fs';if(isMainThread)process.on('exit',()=>{const u=process.resourceUsage();let w=0;try{w=Number(readFileSync('/proc/self/schedstat','latin1').split(' ')[1])/1e9}catch{}writeSync(2,'\\n@usage '+JSON.stringify([u.maxRSS/1024,(u.userCPUTime+u.systemCPUTime)/1e6,w])+'\\n')})`,
)}`

/** What a command did, and what it took. */
export interface AttackRun {
  /** Exit code; null if it had to be killed or died of a signal. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Wall time in seconds, less what it waited for a processor: tests run on busy machines. */
  readonly seconds: number
  /** Seconds of computing; Infinity if the process did not end by itself. */
  readonly cpu: number
  /** Peak of its resident memory; Infinity if the process did not end by itself. */
  readonly mebibytes: number
}

interface RunOptions {
  readonly cwd: string
  /** Folder for temporary files. */
  readonly temporary: string
  /** After so many seconds the process is killed. */
  readonly patience: number
}

/** Runs Node with `args`, measures it, and kills it when it takes too long. */
export function runMeasured(args: readonly string[], { cwd, temporary, patience }: RunOptions): Promise<AttackRun> {
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const child = spawn(process.execPath, ['--import', MEASURE, ...args], {
      cwd,
      env: userEnv({ TMPDIR: temporary }),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const timer = setTimeout(() => child.kill('SIGKILL'), patience * 1000)
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      const usage = [...stderr.matchAll(USAGE)].at(-1)?.[1] ?? '[]'
      const [mebibytes = Infinity, cpu = Infinity, waited = 0] = JSON.parse(usage) as number[]
      const seconds = (performance.now() - start) / 1000 - waited
      resolve({ code, stdout, stderr: stderr.replaceAll(USAGE, ''), seconds, cpu, mebibytes })
    })
  })
}
