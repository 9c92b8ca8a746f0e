import { readFileSync } from 'node:fs'

const MANIFEST = new URL('../../oclif.manifest.json', import.meta.url)

/** Commands of the command line as `npm run build` lists them, by their words. */
export function commands() {
  const { commands } = JSON.parse(readFileSync(MANIFEST, 'utf8'))
  return Object.values(commands)
    .filter(({ hidden }) => !hidden)
    .map((command) => ({ ...command, id: command.id.replace(/^albertkit:/, '').replaceAll(':', ' ') }))
    .sort((a, b) => a.id.localeCompare(b.id))
}

/** Text that Vue and Markdown leave as it is, in one line. */
const plain = (text = '') =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('{', '&#123;').replaceAll('\n', ' ')
const code = (text) => `<code v-pre>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</code>`

function flagLine({ name, char, type, allowNo, helpValue, options, description, default: value }) {
  const word = type === 'boolean' ? '' : ` ${options?.join('|') ?? helpValue ?? 'VALUE'}`
  const names = `${char === undefined ? '' : `-${char}, `}--${allowNo ? '[no-]' : ''}${name}${word}`
  const given = value === undefined || value === false ? '' : ` (default: ${plain(String(value))})`
  return `- ${code(names)}: ${plain(description)}${given}`
}

const section = (title, lines) => (lines.length === 0 ? [] : ['', `## ${title}`, '', ...lines])

/** Reference of a command in Markdown. */
export function pageOf({ id, summary, description, args, flags, examples = [] }) {
  const words = Object.values(args).filter(({ hidden }) => !hidden)
  const usage = words.map(({ name, required }) => (required ? name.toUpperCase() : `[${name.toUpperCase()}]`)).join(' ')
  // Those with a letter first, then by name, as in the terminal.
  const key = ({ char, name }) => (char === undefined ? `1${name}` : `0${char}`)
  const of = (isGlobal) =>
    Object.values(flags)
      .filter(({ hidden, helpGroup }) => !hidden && (helpGroup === 'GLOBAL') === isGlobal)
      .sort((a, b) => (key(a) < key(b) ? -1 : 1))
  const line = ({ command }) => command.replace('<%= config.bin %>', 'albertkit').replace('<%= command.id %>', id)
  return [
    `# ${id}`,
    '',
    plain(summary ?? ''),
    '',
    '```sh',
    `albertkit ${id} ${usage}`.trimEnd(),
    '```',
    '',
    plain(description ?? ''),
    ...section(
      'Arguments',
      words.map(({ name, description }) => `- ${code(name.toUpperCase())}: ${plain(description)}`),
    ),
    ...section('Flags', of(false).map(flagLine)),
    ...section('Flags of every command', of(true).map(flagLine)),
    ...(examples.length === 0 ? [] : ['', '## Examples']),
    ...examples.flatMap((example) => ['', `${plain(example.description)}:`, '', '```sh', line(example), '```']),
    '',
  ].join('\n')
}
