import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { disk } from '../../../src/files/disk.js'
import { writeTokenizer } from '../../../src/api/convert/tokenizer-files.js'
import { loadTokenizer } from '../../../src/api/tokenize/load-tokenizer.js'
import { findTokenizer } from '../../../src/text/tokenizers/load.js'
import { SHARED } from '../../helpers/shared.js'

/** Tokenizers as keras-hub leaves them, against the ids that keras-hub 0.32 gives. */

const out = mkdtempSync(join(tmpdir(), 'albertkit-keras-hub-'))
afterAll(() => {
  rmSync(out, { recursive: true, force: true })
})

const VOCABULARY = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  'the',
  'quick',
  'brown',
  'fox',
  'caf',
  '##e',
  '##é',
  'café',
  'É',
  '!',
  ',',
  '.',
  '新',
  '闻',
  'jump',
  '##ed',
  '##s',
  'Fox',
  'a',
  '##b',
  "'",
  '$',
]
const TEXTS = ['The quick Brown fox jumped!', 'café É cafe, a.b', '新闻 foxs', 'a  b\tJUMPS  ', "don't $a", '']

const IDS = {
  'true,true': [
    [5, 6, 7, 8, 19, 20, 14],
    [9, 10, 1, 9, 10, 15, 23, 16, 1],
    [17, 18, 8, 21],
    [23, 1, 19, 21],
    [1, 25, 1, 26, 23],
    [],
  ],
  'true,false': [
    [5, 6, 7, 8, 19, 20, 14],
    [12, 1, 9, 10, 15, 23, 16, 1],
    [17, 18, 8, 21],
    [23, 1, 19, 21],
    [1, 25, 1, 26, 23],
    [],
  ],
  'false,true': [
    [1, 6, 1, 8, 19, 20, 14],
    [9, 10, 1, 9, 10, 15, 23, 16, 1],
    [17, 18, 8, 21],
    [23, 1, 1],
    [1, 25, 1, 26, 23],
    [],
  ],
  'false,false': [
    [1, 6, 1, 8, 19, 20, 14],
    [12, 13, 9, 10, 15, 23, 16, 1],
    [17, 18, 8, 21],
    [23, 1, 1],
    [1, 25, 1, 26, 23],
    [],
  ],
}

const tokenizerOf = (lowercase: boolean, strip_accents: boolean) => ({
  module: 'keras_hub.src.models.bert.bert_tokenizer',
  class_name: 'BertTokenizer',
  config: { config_file: 'tokenizer.json', vocabulary: null, lowercase, strip_accents },
})

function folder(name: string, place: string, write: (assets: string) => void): string {
  const root = join(out, name)
  mkdirSync(join(root, place), { recursive: true })
  write(join(root, place))
  return root
}

describe('WordPiece of keras-hub', () => {
  it.each(Object.entries(IDS))('lowercase and strip_accents %s', (settings, ids) => {
    const [lowercase, strip] = settings.split(',').map((word) => word === 'true') as [boolean, boolean]
    const root = folder(settings, 'assets/tokenizer', (assets) => {
      writeFileSync(join(assets, 'vocabulary.txt'), VOCABULARY.map((token) => `${token}\n`).join(''))
    })
    writeFileSync(join(root, 'tokenizer.json'), JSON.stringify(tokenizerOf(lowercase, strip)))
    const tokenizer = loadTokenizer(root)
    expect(TEXTS.map((text) => tokenizer.ids(text))).toEqual(ids)
    // Given by its file, as threads get it; and as it is written next to an artefact.
    expect(TEXTS.map((text) => loadTokenizer(tokenizer.file).ids(text))).toEqual(ids)
    const staging = join(out, `${settings}-out`)
    mkdirSync(staging)
    expect(writeTokenizer({ files: disk, directory: root }, staging, 16)).toEqual([])
    expect(TEXTS.map((text) => loadTokenizer(staging).ids(text))).toEqual(ids)
    rmSync(join(staging, 'vocab.txt'))
    rmSync(join(staging, 'tokenizer_config.json'))
    expect(TEXTS.map((text) => loadTokenizer(staging).ids(text))).toEqual(ids)
  })

  it.each([
    ['damaged', '{', 'tokenizer-invalid'],
    ['a pointer of Git LFS', 'version https://git-lfs.github.com/spec/v1\n', 'not-a-model'],
  ])('is refused if its settings are %s', (name, text, code) => {
    const root = folder(name, 'assets/tokenizer', (assets) => {
      writeFileSync(join(assets, 'vocabulary.txt'), VOCABULARY.map((token) => `${token}\n`).join(''))
    })
    writeFileSync(join(root, 'tokenizer.json'), text)
    expect(() => loadTokenizer(root)).toThrow(expect.objectContaining({ code }))
  })

  it('of a .keras file, whose configuration holds that of the tokenizer', () => {
    const root = folder('unpacked', 'assets/preprocessor/tokenizer', (assets) => {
      writeFileSync(join(assets, 'vocabulary.txt'), VOCABULARY.map((token) => `${token}\n`).join(''))
    })
    const preprocessor = {
      class_name: 'BertTextClassifierPreprocessor',
      config: { tokenizer: tokenizerOf(true, false) },
    }
    writeFileSync(
      join(root, 'config.json'),
      JSON.stringify({ class_name: 'BertTextClassifier', config: { preprocessor } }),
    )
    expect(TEXTS.map((text) => loadTokenizer(root).ids(text))).toEqual(IDS['true,false'])
  })

  it('is not the tokenizer.json of Hugging Face', () => {
    const root = folder('alone', 'assets', () => undefined)
    expect(findTokenizer(disk, root)).toBeNull()
  })
})

const spiece = join(SHARED, 'text/spiece.model')
describe.skipIf(!existsSync(spiece))('SentencePiece of keras-hub', () => {
  it('is the model alone, without what Google does before', () => {
    const root = folder('albert', 'assets/tokenizer', (assets) => {
      copyFileSync(spiece, join(assets, 'vocabulary.spm'))
    })
    const tokenizer = loadTokenizer(root)
    const texts = ['The quick Brown fox!', 'Café, 1999, naïve  word ', "``quoted''", '', '新闻 abc 7,']

    const ids = [
      [13, 1, 238, 24, 504, 492, 13, 1, 42, 104, 752, 956, 1],
      [13, 1, 82, 85, 1, 18, 629, 342, 91, 82, 1, 74, 538],
      [13, 1, 365, 186, 25, 17, 255, 255],
      [],
      [13, 1, 16, 249, 959, 750],
    ]
    expect(texts.map((text) => tokenizer.ids(text))).toEqual(ids)
    const staging = join(out, 'albert-out')
    mkdirSync(staging)
    expect(writeTokenizer({ files: disk, directory: root }, staging, 16)).toEqual([])
    expect(texts.map((text) => loadTokenizer(staging).ids(text))).toEqual(ids)
  })
})
