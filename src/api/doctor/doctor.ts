import { stoppable, type Abortable, type OnProgress, progressStep } from '../../base/abort.js'
import { writeFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, freemem, platform, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { albertkitVersion, nodeRequired } from '../../base/version.js'
import { temporaryFolder } from '../../base/temporary-folder.js'
import { RUNNERS, type RunnerInfo, type RunnerOptions } from '../../runtime/runners.js'
import { optionalPackages } from './packages.js'
import { type DoctorReport, type RuntimeHealth } from './report.js'
import type { Probe } from './probe.js'
import { tryRuntime } from './try.js'
import { initModel } from '../init/init.js'

export interface DoctorOptions extends Abortable, Pick<RunnerOptions, 'adapter' | 'browser'> {
  readonly onProgress?: OnProgress
}

function nodeHealth(): DoctorReport['node'] {
  const required = nodeRequired()
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [wantedMajor = 0, wantedMinor = 0] = required.replace(/^>=/, '').split('.').map(Number)
  const ok = major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
  return { version: process.versions.node, required, ok }
}

const systemOf = (): DoctorReport['system'] => ({
  platform: platform(),
  release: release(),
  arch: arch(),
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  threads: availableParallelism(),
  memory: totalmem(),
  freeMemory: freemem(),
})

/** Classifier with two layers, which every runtime runs quickly. */
const SMALL = {
  vocab_size: 40,
  embedding_size: 8,
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 32,
  hidden_act: 'gelu',
  max_position_embeddings: 16,
  type_vocab_size: 2,
  num_hidden_groups: 1,
  inner_group_num: 1,
}

async function smallModel(folder: string): Promise<string> {
  const config = join(folder, 'albert_config.json')
  writeFileSync(config, JSON.stringify(SMALL))
  const model = join(folder, 'model')
  await initModel(config, model, { task: 'classify', verify: false })
  return model
}

/** Advice for packages that are dependencies of albertkit. */
const REINSTALL = 'it comes with albertkit: reinstall albertkit, with its optional dependencies'

function healthOf({ name, artefact, device: place }: RunnerInfo, said: Probe): RuntimeHealth {
  const absent = !said.worked && said.kind === 'environment'
  // Optional packages may be absent from a correct installation; TensorFlow.js is a dependency.
  const required = place === 'cpu' && (artefact === 'tfjs' || !absent)
  const common = { name, place, required }
  if (!said.worked) {
    return {
      ...common,
      status: absent ? 'absent' : 'broken',
      detail: null,
      adapter: null,
      maxAbs: null,
      reason: said.reason,
      fix: said.fix ?? (required ? REINSTALL : null),
    }
  }
  const { detail, adapter, maxAbs } = said
  if (!said.ok) {
    const fix = 'update its driver and its package; verify with `bisect` and `runner` to find the operation'
    return {
      ...common,
      status: 'broken',
      detail,
      adapter,
      maxAbs,
      reason: 'its results differ from the float64 reference',
      fix,
    }
  }
  return {
    ...common,
    status: adapter?.software === true ? 'software' : 'works',
    detail,
    adapter,
    maxAbs,
    reason: null,
    fix: null,
  }
}

/**
 * Checks this machine: starts every runtime, each in a separate process, and runs a small random model.
 * @throws AlbertkitError `output` if the temporary folder is not writable
 */
export async function examineMachine(asked: DoctorOptions = {}): Promise<DoctorReport> {
  const { onProgress, signal: _signal, ...options } = stoppable(asked)
  const folder = temporaryFolder()
  try {
    const model = await smallModel(folder.path)
    const runtimes: RuntimeHealth[] = []
    const adapters: string[] = []
    for (const info of RUNNERS) {
      onProgress?.(progressStep('trying', info.name))
      const said = await tryRuntime({ runner: info.name, model, options: { ...options, allowSoftware: true } })
      runtimes.push(healthOf(info, said))
      adapters.push(...(said.adapters ?? []))
    }
    const node = nodeHealth()
    return {
      ok: node.ok && runtimes.every((r) => !r.required || r.status === 'works'),
      version: albertkitVersion(),
      node,
      system: systemOf(),
      adapters,
      runtimes,
      packages: optionalPackages(),
    }
  } finally {
    folder.remove()
  }
}
