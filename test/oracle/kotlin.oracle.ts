import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ROOT } from '../helpers/run.js'

/** Kotlin of docs/mobile.md, compiled against TensorFlow Lite's own classes, which Maven fetches. */

const scratch = mkdtempSync(join(tmpdir(), 'albertkit-kotlin-'))
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true })
})

const COMPILER = 'org.jetbrains.kotlin:kotlin-compiler-embeddable:2.2.21'
const LIBRARIES = ['org.tensorflow:tensorflow-lite-api:2.16.1', 'org.tensorflow:tensorflow-lite:2.16.1']
const ANDROID = 'com.google.android:android:4.1.1.4'

const dependency = (name: string, type: string): string => {
  const [groupId, artifactId, version] = name.split(':')
  const place = `<groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version>`
  // What Android's classes need at run time is not compiled against.
  const alone =
    name === COMPILER
      ? ''
      : '<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>'
  return `<dependency>${place}<type>${type}</type>${alone}</dependency>`
}

/** Folder of the compiler and the libraries; null, with a message, without Maven or its repository. */
function fetched(): string | null {
  const dependencies = [dependency(COMPILER, 'jar'), dependency(ANDROID, 'jar')]
  dependencies.push(...LIBRARIES.map((name) => dependency(name, 'aar')))
  writeFileSync(
    join(scratch, 'pom.xml'),
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>albertkit</groupId>' +
      `<artifactId>kotlin</artifactId><version>1</version><dependencies>${dependencies.join('')}</dependencies></project>`,
  )
  const asked = spawnSync('mvn', ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=jars'], {
    cwd: scratch,
    encoding: 'utf8',
    timeout: 240_000,
  })
  if (asked.status === 0) return join(scratch, 'jars')
  const why = asked.error?.message ?? asked.stdout.split('\n').find((line) => line.includes('ERROR')) ?? asked.stderr
  console.warn(`Maven cannot fetch Kotlin's compiler and TensorFlow Lite (${why}): its test is skipped.`)
  return null
}

/** Classes of an Android archive, unpacked. */
function classesOf(folder: string, name: string): string {
  const place = join(folder, name.replace('.aar', ''))
  mkdirSync(place)
  spawnSync('jar', ['xf', join(folder, name), 'classes.jar'], { cwd: place })
  return join(place, 'classes.jar')
}

const jars = fetched()

describe.skipIf(jars === null)('the Kotlin of docs/mobile.md', () => {
  it('compiles', () => {
    const code = /```kotlin\n([^]*?)```/.exec(readFileSync(join(ROOT, 'docs/mobile.md'), 'utf8'))![1]!
    writeFileSync(join(scratch, 'NewsClassifier.kt'), code)
    const all = readdirSync(jars!)
    const classes = all.filter((name) => name.endsWith('.aar')).map((name) => classesOf(jars!, name))
    const named = (part: string): string =>
      join(
        jars!,
        all.find((name) => name.startsWith(part))!,
      )
    const libraries = [named('kotlin-stdlib-2'), named('android-4'), ...classes].join(':')
    const compiler = [
      '-cp',
      join(jars!, '*'),
      'org.jetbrains.kotlin.cli.jvm.K2JVMCompiler',
      '-no-stdlib',
      '-no-reflect',
    ]
    const told = spawnSync('java', [...compiler, '-Werror', '-cp', libraries, '-d', 'out', 'NewsClassifier.kt'], {
      cwd: scratch,
      encoding: 'utf8',
    })
    expect(told.stderr).toBe('')
    expect(readdirSync(join(scratch, 'out'))).toContain('NewsClassifier.class')
  })
})
