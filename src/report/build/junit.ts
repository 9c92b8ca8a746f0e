import type { BuildReport, ModelBuildReport, BuildStepReport } from '../../api/build/report.js'
import { escapeXml } from '../../base/escape.js'

/** Beginning of the JUnit XML of a build: a file that begins so may be replaced by the next build. */
export const JUNIT_MARK = '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="albertkit build"'

const attributes = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value))}"`)
    .join('')

const problem = (element: string, type: string, lines: readonly string[]): string =>
  `      <${element}${attributes({ type, message: lines[0]! })}>${escapeXml(lines.join('\n'))}</${element}>\n`

/** Element for a step that failed: an error if the step could not be done, a failure if a check said no. */
function verdict({ missed, error, status }: BuildStepReport): string {
  if (status === 'left') return '      <skipped message="an earlier step failed"/>\n'
  if (status === 'cached' || status === 'planned') return `      <skipped message="${status}"/>\n`
  if (error !== null) {
    const { kind, message, hint = '', file = '' } = error
    return problem('error', kind, [message, ...[file, hint].filter((text) => text !== '')])
  }
  if (missed.length === 0) return ''
  return problem('failure', 'check', missed)
}

function suite(model: ModelBuildReport): string {
  const { name, steps, seconds } = model
  const count = (test: (step: BuildStepReport) => boolean): number => steps.filter(test).length
  const counts = {
    tests: steps.length,
    failures: count(({ missed, error }) => missed.length > 0 && error === null),
    errors: count(({ error }) => error !== null),
    skipped: count(({ status }) => status === 'left' || status === 'cached' || status === 'planned'),
    time: seconds.toFixed(3),
  }
  const cases = steps.map((step) => {
    const own = attributes({ classname: name, name: step.name, time: (step.seconds ?? 0).toFixed(3) })
    return `    <testcase${own}>\n${verdict(step)}    </testcase>\n`
  })
  return `  <testsuite${attributes({ name, ...counts })}>\n${cases.join('')}  </testsuite>\n`
}

/** JUnit XML of `build`: a suite for each model, a case for each step. */
export function buildJunit({ models }: BuildReport): string {
  const steps = models.flatMap((model) => model.steps)
  const counts = {
    tests: steps.length,
    failures: steps.filter(({ missed, error }) => missed.length > 0 && error === null).length,
    errors: steps.filter(({ error }) => error !== null).length,
  }
  return `${JUNIT_MARK}${attributes(counts)}>\n${models.map(suite).join('')}</testsuites>\n`
}
