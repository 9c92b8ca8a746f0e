import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { AlbertkitError, outputError } from '../base/errors.js'
import { isOwnerGone, JOURNAL, ownName, TEMPORARY } from '../base/temporary-folder.js'
import * as z from '../vendor/zod.js'
import { writes } from './write-port.js'

/**
 * Crash-safe replacement of files in an existing folder. The new files are in `WORK/new`; `WORK/plan.json` lists the
 * files that leave the folder and those that enter it. A hard link to the plan, `.albertkit-commit`, commits the new
 * version. Replaced files move to `WORK/old` and are removed after everything is in place and on the disk.
 *
 * A process that finds the `.albertkit-commit` of a dead one takes over WORK, by renaming it, and does the rest of the
 * steps; each can be repeated.
 */

/** A step: `out` moves a file or folder to `old`, `in` moves one from `new`. */
const stepSchema = z.object({ move: z.oneOf(['out', 'in']), path: z.string() })
const planSchema = z.object({
  format: z.literal('albertkit-commit'),
  version: z.literal(1),
  /** End of the name of WORK, which stays the same if another process takes over. */
  id: z.string().check(z.regex(/^[0-9a-f]{8}$/)),
  steps: z.array(stepSchema),
})

export type Step = z.Infer<typeof stepSchema>
type Plan = z.Infer<typeof planSchema>

/** Parts of the working folder. */
export const newIn = (work: string): string => join(work, 'new')
const oldIn = (work: string): string => join(work, 'old')
const planIn = (work: string): string => join(work, 'plan.json')

/** Plans are short: an artefact has some dozens of files. */
const MAX_PLAN_BYTES = 1 << 20
/** A commit takes milliseconds, as the data are on the disk before it begins; one older than this is given up. */
const PATIENCE_MS = 30_000
const POLL_MS = 20

/** Ids of the commits that this thread is doing. */
const running = new Set<string>()

const idOf = (work: string): string => basename(work).slice(-8)
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch (error) {
    // A part of the path is a file.
    if (codeOf(error) === 'ENOTDIR') return false
    throw error
  }
}
const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? ''

/** True if a path stays within the folder; a plan may be forged. */
const isInner = (path: string): boolean => path.split('/').every((part) => !['', '.', '..'].includes(part))

function readPlan(folder: string): Plan | null {
  const file = join(folder, JOURNAL)
  try {
    const stats = lstatSync(file)
    if (!stats.isFile() || stats.size > MAX_PLAN_BYTES) return null
    const parsed = planSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')))
    return parsed.success && parsed.data.steps.every(({ path }) => isInner(path)) ? parsed.data : null
  } catch {
    return null
  }
}

/** Brings the contents of all files below a folder to the disk, which may take seconds, before they are committed. */
export async function flushTree(folder: string): Promise<void> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await flushTree(path)
    else if (entry.isFile()) await writes.flush(path)
  }
}

/** Synchronises all files below a folder, and the folders. */
export function syncTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) syncTree(path)
    else if (entry.isFile()) writes.syncPath(path)
  }
  writes.syncPath(folder)
}

/** Paths of the file of a step before and after it. */
function placesOf(folder: string, work: string, { move, path }: Step): [from: string, to: string] {
  const inside = join(folder, path)
  return move === 'out' ? [inside, join(oldIn(work), path)] : [join(newIn(work), path), inside]
}

/** Does one step if it is not done yet. */
function take(folder: string, work: string, step: Step): void {
  const [from, to] = placesOf(folder, work, step)
  if (!isThere(from) || (step.move === 'out' && isThere(to))) return
  if (step.path.includes('/')) writes.makeFolders(dirname(to))
  if (step.move === 'out') writes.setAside(from, to)
  else writes.rename(from, to)
}

/** Ends a commit whose steps are all taken. */
function close(folder: string, { steps }: Pick<Plan, 'steps'>): void {
  const folders = new Set([folder, ...steps.map(({ path }) => dirname(join(folder, path)))])
  for (const path of folders) if (isThere(path)) writes.syncPath(path)
  writes.remove(join(folder, JOURNAL))
  writes.syncPath(folder)
}

/** Removes what no commit needs any more; what cannot be removed goes with a later command. */
function sweep(work: string): void {
  try {
    writes.removeTree(work)
  } catch {
    // The new version is in place.
  }
}

/** Makes the plan hold: gives it its second name, which only one commit of a folder can have at a time. */
function announce(folder: string, work: string): void {
  const journal = join(folder, JOURNAL)
  for (;;) {
    try {
      writes.link(planIn(work), journal)
      break
    } catch (error) {
      if (codeOf(error) === 'EEXIST') {
        const isKnown = readPlan(folder) !== null
        finishCommit(folder)
        if (isKnown || !isThere(journal)) continue
        throw outputError('the folder holds an unfinished commit that cannot be read', {
          code: 'output-failed',
          file: journal,
          hint: 'look what is in the folder, then remove this file',
        })
      }
      // File systems without hard links.
      if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(codeOf(error)) || isThere(journal))
        throw error
      writes.rename(planIn(work), journal)
      break
    }
  }
}

/**
 * Puts `WORK/new` into an existing folder by the steps of a plan: all of them, or none.
 * @param work folder in `folder`, with a name of this process
 * @throws Error of the system, after everything was undone; if that fails too, the next command continues
 */
export function commitInto(folder: string, work: string, steps: readonly Step[]): void {
  const plan: Plan = { format: 'albertkit-commit', version: 1, id: idOf(work), steps: [...steps] }
  syncTree(newIn(work))
  writes.makeFolder(oldIn(work))
  const descriptor = writes.open(planIn(work), 'wx')
  try {
    const bytes = new TextEncoder().encode(`${JSON.stringify(plan)}\n`)
    for (let at = 0; at < bytes.length;) at += writes.write(descriptor, bytes.subarray(at), null)
    writes.sync(descriptor)
  } finally {
    writes.close(descriptor)
  }
  writes.syncPath(work)
  running.add(plan.id)
  let taken = 0
  try {
    announce(folder, work)
    try {
      writes.syncPath(folder)
      for (const step of steps) {
        take(folder, work, step)
        taken++
      }
      close(folder, plan)
    } catch (error) {
      takeBack(folder, work, steps.slice(0, taken))
      throw error
    }
  } finally {
    running.delete(plan.id)
  }
  sweep(work)
}

/** Undoes steps, the last one first. */
function takeBack(folder: string, work: string, taken: readonly Step[]): void {
  for (const step of [...taken].reverse()) {
    const [from, to] = placesOf(folder, work, step)
    if (isThere(to) && !isThere(from)) writes.rename(to, from)
  }
  writes.remove(join(folder, JOURNAL))
  writes.syncPath(folder)
}

/** Working folder of a plan, under the name of the process that works on it; null if there is none. */
function workOf(folder: string, { id }: Plan): string | null {
  const name = readdirSync(folder).find((entry) => TEMPORARY.test(entry) && entry.endsWith(`-${id}`))
  const work = name === undefined ? null : join(folder, name)
  return work !== null && lstatSync(work).isDirectory() ? work : null
}

/** Takes over the working folder of a dead process. @returns its new name; null if another process was faster */
function takeOver(folder: string, work: string): string | null {
  const own = join(folder, ownName(idOf(work)))
  if (own === work) return work
  try {
    writes.rename(work, own)
    return own
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

/** No step goes through a link out of the folder. */
function isPlain(folder: string, { steps }: Plan): boolean {
  return steps.every(({ path }) => {
    const parent = dirname(join(folder, path))
    return parent === folder || lstatSync(parent, { throwIfNoEntry: false })?.isSymbolicLink() !== true
  })
}

/** Age of the journal; 0 if it has gone. */
const ageOf = (folder: string): number => {
  const stats = statSync(join(folder, JOURNAL), { throwIfNoEntry: false })
  return stats === undefined ? 0 : Date.now() - stats.mtimeMs
}

/** Waits if the commit belongs to a process that lives, up to its end. @returns true if it must be finished by us */
function mustFinish(folder: string, plan: Plan): string | null {
  const began = performance.now()
  for (;;) {
    const work = workOf(folder, plan)
    if (!isThere(join(folder, JOURNAL))) return null
    if (work === null || isOwnerGone(basename(work), (id) => running.has(id))) return work ?? ''
    if (Math.max(ageOf(folder), performance.now() - began) > PATIENCE_MS) return work
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_MS)
  }
}

/**
 * Finishes the commit of a process that ended in the middle of one, so that the folder holds the whole new version.
 * Nothing happens if there is none.
 * @throws AlbertkitError `output` if the folder may not be written
 */
export function finishCommit(folder: string): void {
  const plan = isThere(join(folder, JOURNAL)) ? readPlan(folder) : null
  if (plan === null || running.has(plan.id) || !isPlain(folder, plan)) return
  try {
    for (;;) {
      const found = mustFinish(folder, plan)
      if (found === null) return
      const work = found === '' ? '' : takeOver(folder, found)
      if (work === null) continue
      // Without the folder of the files that were replaced, the new version is in place.
      if (work !== '' && isThere(oldIn(work))) for (const step of plan.steps) take(folder, work, step)
      close(folder, plan)
      if (work !== '') sweep(work)
      return
    }
  } catch (error) {
    if (error instanceof AlbertkitError) throw error
    throw outputError('the folder holds the unfinished output of another command, which cannot be finished here', {
      code: 'output-failed',
      file: folder,
      hint: 'run this command once as a user who may write the folder',
      cause: error,
    })
  }
}
