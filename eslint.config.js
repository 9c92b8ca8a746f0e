import js from '@eslint/js'
import tseslint from 'typescript-eslint'
import { builtinModules } from 'node:module'
import house from './eslint.rooms.js'

/** Rooms and files that know nothing of Node. */
const HOSTLESS = ['src/formats/**', 'src/model/**', 'src/text/**', 'src/export/**', 'src/base/bytes.ts']
const HOSTLESS_MESSAGE = 'This code runs in browsers too: nothing of Node.'
/** Modules of Node, by either of their names. */
const NODE_MODULES = [
  'node:*',
  ...builtinModules.filter((name) => !name.startsWith('_') && !name.includes('/')),
  'yauzl',
  'tar-stream',
  '@node-rs/*',
  'h5wasm/node',
]

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'docs/reference/',
      'docs/.vitepress/cache/',
      'site/',
      'coverage/',
      'src/proto/generated/',
      'fixtures/',
      'tmp/',
      'scripts/**/*.d.ts',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.js'],
    languageOptions: {
      globals: {
        console: 'readonly',
        clearTimeout: 'readonly',
        TextDecoder: 'readonly',
        TextEncoder: 'readonly',
        process: 'readonly',
        performance: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
  {
    files: ['**/*.ts', '**/*.tsx'],
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
  {
    // What runs in a browser too: files come through a port (src/formats/core/file-port.ts), texts and bytes without Buffer.
    files: HOSTLESS,
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ group: NODE_MODULES, message: HOSTLESS_MESSAGE }] }],
      'no-restricted-globals': [
        'error',
        ...['Buffer', 'process', 'require', '__dirname', 'setImmediate', 'NodeJS'].map((name) => ({
          name,
          message: HOSTLESS_MESSAGE,
        })),
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'ImportExpression > Literal[value=/^node:/]', message: HOSTLESS_MESSAGE },
        { selector: 'TSImportType Literal[value=/^node:/]', message: HOSTLESS_MESSAGE },
        { selector: "TSQualifiedName > Identifier[name='NodeJS']", message: HOSTLESS_MESSAGE },
      ],
    },
  },
  {
    files: ['src/**/*.ts', 'src/**/*.tsx'],
    plugins: { house },
    rules: {
      'house/rooms': 'error',
      'max-lines': ['error', 400],
      'max-lines-per-function': ['error', 70],
      'max-params': ['error', 5],
      // A line that is one regular expression, or a row of a table of names, is longer.
      'max-len': ['error', { code: 120, ignorePattern: '^\\s*\\[?.*(/.*/[a-z]*,?|\\.source)' }],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { paths: [{ name: '@oclif/core', message: 'Import its parts (@oclif/core/flags …): all of it takes 15 ms.' }] },
      ],
    },
  },
)
