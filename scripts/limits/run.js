// Runs Node in a process of its own and measures it.
import { spawn } from 'node:child_process'

/** Prints, when the main thread ends: MiB at the peak, seconds of computing, and seconds of waiting for a processor. */
const measure = `
  import { isMainThread } from 'node:worker_threads'
  import { readFileSync, writeSync } from 'node:fs'
  const read = (file, pattern, other) => {
    try {
      return Number(pattern.exec(readFileSync(file, 'latin1'))[1])
    } catch {
      return other
    }
  }
  if (isMainThread)
    process.on('exit', () => {
      const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
      // On Linux, maxRSS is at least that of the process that started this one; the peak of its own memory is elsewhere.
      const peak = read('/proc/self/status', /VmHWM:\\s+(\\d+)/, maxRSS)
      const waited = read('/proc/self/schedstat', /^\\d+ (\\d+)/, 0)
      const usage = [peak / 1024, (userCPUTime + systemCPUTime) / 1e6, waited / 1e9]
      writeSync(2, '\\n@usage ' + JSON.stringify(usage) + '\\n')
    })`
const MEASURE = `data:text/javascript,${encodeURIComponent(measure)}`
/** What it prints, to the last of the standard streams. */
const USAGE = /\n@usage (\[[^\n]*\])\n/g

/** Runs Node with `args`, measures it, and kills it when it takes too long. */
export function runMeasured(args, { cwd, env, patience }) {
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const child = spawn(process.execPath, ['--import', MEASURE, ...args], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const timer = setTimeout(() => child.kill('SIGKILL'), patience * 1000)
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(timer)
      const usage = [...stderr.matchAll(USAGE)].at(-1)?.[1] ?? '[]'
      const [mebibytes = Infinity, cpu = Infinity, waited = 0] = JSON.parse(usage)
      const seconds = (performance.now() - start) / 1000 - waited
      resolve({ code, stdout, stderr: stderr.replaceAll(USAGE, ''), seconds, cpu, mebibytes })
    })
  })
}
