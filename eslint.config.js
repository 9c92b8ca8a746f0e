import js from '@eslint/js'
import tseslint from 'typescript-eslint'

/**
 * The import rule of the house: one way, commands → api → export, runtime, verify → model → formats/source.
 * Each room lists the rooms that it may import from; what is not listed it must not know, except by type where
 * `typesOnly` says so. errors.ts, interrupt.ts, temporary.ts, vendor/ and proto/ are nobody's room and open to all.
 */
const ROOMS = {
  commands: { imports: ['api', 'export', 'runtime', 'verify', 'model', 'formats', 'text', 'scale', 'report'] },
  api: { imports: ['export', 'runtime', 'verify', 'model', 'formats', 'text', 'scale', 'report'] },
  scale: { imports: ['export'] },
  export: { imports: ['model', 'formats/source', 'formats/safetensors/write', 'formats/tf-bundle/write'] },
  runtime: { imports: ['model', 'formats/source'] },
  verify: { imports: ['model', 'formats/source'] },
  model: { imports: ['formats/source'] },
  formats: { imports: [] },
  text: { imports: [] },
  report: { imports: [], typesOnly: true },
}

/** Matches a relative import that leaves `room` for a place that it must not know. */
function forbidden(room, { imports }) {
  const closed = Object.keys(ROOMS).filter((other) => other !== room && !imports.includes(other))
  const patterns = closed.map((other) => {
    const open = imports.filter((path) => path.startsWith(`${other}/`)).map((path) => path.slice(other.length + 1))
    return open.length === 0 ? `${other}/.*` : `${other}/(?!(${open.join('|')})[.]js$).*`
  })
  // The public API and the entry point of the command line stand above all rooms.
  return `^([.][.]/)+(${[...patterns, 'index[.]js', 'main[.]js'].join('|')})$`
}

const importRule = Object.entries(ROOMS).map(([room, rule]) => {
  const regex = forbidden(room, rule)
  const message = `src/${room} must not know this: imports go one way (the table in eslint.config.js).`
  return {
    files: [`src/${room}/**/*.ts`],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [{ regex, message, allowTypeImports: rule.typesOnly === true }],
          paths: [{ name: '@oclif/core', message: 'Import its parts (@oclif/core/flags …): all of it takes 15 ms.' }],
        },
      ],
      'no-restricted-syntax': [
        'error',
        // esquery ends a regular expression at the first slash.
        { selector: `ImportExpression[source.value=/${regex.replaceAll('/', '\\x2F')}/]`, message },
      ],
    },
  }
})

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'src/proto/generated/', 'fixtures/', 'tmp/', 'scripts/*.d.ts'] },
  js.configs.recommended,
  {
    files: ['**/*.js'],
    languageOptions: {
      globals: {
        console: 'readonly',
        process: 'readonly',
        performance: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['vitest.config.ts'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      // Sizes, offsets and exit codes belong in messages.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `_` marks what an interface asks for and the body does not need.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Interfaces for shapes, types for unions; a tuple or a record is clearer as a type.
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      // Elements of arrays whose bounds the code has just established; a check there would be one that cannot fail.
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-control-regex': 'off',
    },
  },
  ...importRule,
)
