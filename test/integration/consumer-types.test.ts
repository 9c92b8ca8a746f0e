import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ts from 'typescript'
import { afterAll, describe, expect, it } from 'vitest'
import { ROOT } from '../helpers/run.js'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'albertkit-consumer-')))
mkdirSync(join(folder, 'node_modules'))
symlinkSync(ROOT, join(folder, 'node_modules/albertkit'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const PROGRAM = `
import { convertModel, openModel, pipeline, type AlbertModel, type ConvertOptions, type Target } from 'albertkit'
import { forward, identify, ReferenceOps, type ForwardInputs, type Ops, type Tensor } from 'albertkit/model'

const targets: readonly Target[] = ['onnx']
const options: ConvertOptions = { targets }
const { ok } = await convertModel('model', 'out', options)
ok satisfies boolean
await using classify = await pipeline('classify', 'out')
const [answer] = await classify(['text', ['text', 'text']])
answer?.label satisfies string | undefined
const opened = await openModel('model')
identify(opened.source).table.title satisfies string
export const run = <T,>(model: AlbertModel, ops: Ops<T>, inputs: ForwardInputs<T>) =>
  forward(model, ops, inputs, { mlm: true, sop: true, classifier: true, qa: true }).logits
new ReferenceOps(opened.source, new Map()) satisfies Ops<Tensor>
`

/** Checks a program of a user, with the types of Node alone and without skipLibCheck. */
function check(name: string, text: string): { errors: string[]; files: string[] } {
  const file = join(folder, `${name}.mts`)
  writeFileSync(file, text)
  const program = ts.createProgram([file], {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [join(ROOT, 'node_modules/@types')],
  })
  const errors = ts
    .getPreEmitDiagnostics(program)
    .map((one) => `${one.file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(one.messageText, '\n')}`)
  return { errors, files: program.getSourceFiles().map(({ fileName }) => fileName) }
}

describe("the package's types", () => {
  it('are sound with the types of Node alone', () => {
    const { errors, files } = check('user', PROGRAM)
    expect(errors).toEqual([])
    expect(files).toContain(join(ROOT, 'dist/index.d.ts'))
    const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>
    }
    const own = Object.keys(devDependencies).filter((name) => name !== '@types/node' && name !== 'typescript')
    expect(own.filter((name) => files.some((file) => file.includes(`/node_modules/${name}/`)))).toEqual([])
  })

  it('say no to a target that does not exist', () => {
    const { errors } = check('mistaken', PROGRAM.replace("['onnx']", "['caffe']"))
    expect(errors.join()).toMatch(/"caffe"/)
  })
})
