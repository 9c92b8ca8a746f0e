import { cpSync, existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'
import { commands } from './commands.js'

// The site of the documents, `npm run docs`: the files of the repository as they are, commands from their own help, the
// library by typedoc. Every link must lead somewhere, or the build fails.

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const { description } = JSON.parse(readFileSync(at('package.json'), 'utf8'))
const items = (folder, pages) => pages.map(([name, text]) => ({ text, link: `/${folder}${name}` }))

const GUIDES = [
  ['browser', 'In a browser', '在浏览器里运行'],
  ['guides/onnxruntime', 'Into onnxruntime', '转到 onnxruntime'],
  ['guides/android', 'Onto Android', '上 Android'],
  ['mobile', 'Phones, in detail', '手机：细节'],
  ['guides/news-classes', 'Ten news classes', '十类新闻'],
  ['guides/other-numbers', 'Other numbers', '结果不一样'],
  ['guides/run-classifier', 'From run_classifier', '从 run_classifier 来'],
  ['guides/parameter-table', 'The parameter table', '参数表'],
  ['guides/extra-parts', 'Adapters, LoRA, heads', '适配器、LoRA、额外的头'],
  ['left-over', 'Left over, in detail', '多余的部分：细节'],
]
/** Guides in Chinese, those that are there, and what they link to in English. */
const chineseGuides = GUIDES.map(([name, , text]) => [
  existsSync(at(`docs/${name}.zh-CN.md`)) ? `${name}.zh-CN` : name,
  text,
])
const topics = [
  {
    text: 'Use',
    items: items('docs/', [
      ['text', 'Text'],
      ['training', 'Fine-tuning'],
      ['precision', 'Half and eight bits'],
      ['verify', 'Proof'],
      ['analysis', 'Looking into a model'],
      ['scale', 'Many machines'],
      ['build', 'Builds'],
      ['sources', 'Hub and servers'],
      ['library', 'As a library'],
    ]),
  },
  {
    text: 'Facts',
    items: items('docs/', [
      ['containers', 'What is read'],
      ['targets', 'What is written'],
      ['errors', 'Errors'],
      ['schemas', 'What --json prints'],
      ['gpu', 'GPUs'],
      ['benchmarks', 'Benchmarks'],
      ['security', 'Security'],
      ['architecture', 'Architecture'],
    ]),
  },
]
const reference = {
  text: 'Commands',
  collapsed: true,
  items: commands().map(({ id }) => ({ text: id, link: `/docs/commands/${id.replaceAll(' ', '-')}` })),
}

const english = [
  { text: 'Guides', items: items('docs/', GUIDES) },
  ...topics,
  reference,
  { text: '中文指南', collapsed: true, items: items('docs/', chineseGuides) },
]
const chinese = [
  {
    text: '中文',
    items: [
      { text: '说明', link: '/zh-CN' },
      { text: '指南', link: '/docs/guides/index.zh-CN' },
    ],
  },
  { text: '指南', items: items('docs/', chineseGuides) },
  ...[...topics, reference].map((group) => ({ ...group, text: `${group.text}（英文）`, collapsed: true })),
]
/** Pages with the sidebar in Chinese. */
const CHINESE_PAGES = [
  '/zh-CN',
  '/docs/guides/index.zh-CN',
  ...chineseGuides.flatMap(([name]) => (name.endsWith('.zh-CN') ? [`/docs/${name}`] : [])),
]

/** Words that are searched for: of Chinese, which has no spaces, each two characters that follow each other. */
const wordsOf = (text) =>
  [...text.matchAll(/(\p{Script=Han}+)|[^\s\p{P}\p{Script=Han}]+/gu)].flatMap(([word, han = '']) =>
    han.length < 2 ? [word] : Array.from({ length: han.length - 1 }, (_, i) => han.slice(i, i + 2)),
  )

export default defineConfig({
  lang: 'en',
  title: 'albertkit',
  description,
  srcDir: '..',
  srcExclude: [
    '{bin,coverage,dist,examples,fixtures,mutation,node_modules,scripts,site,src,test,tmp}/**',
    'docs/reference/**',
  ],
  outDir: '../site',
  cleanUrls: false,
  rewrites: {
    'README.md': 'index.md',
    'README.zh-CN.md': 'zh-CN.md',
    'docs/guides/README.md': 'docs/guides/index.md',
    'docs/guides/README.zh-CN.md': 'docs/guides/index.zh-CN.md',
  },
  themeConfig: {
    search: { provider: 'local', options: { miniSearch: { options: { tokenize: wordsOf } } } },
    outline: [2, 3],
    nav: [
      { text: 'Guides', link: '/docs/guides/' },
      { text: 'Commands', link: '/docs/commands/convert' },
      // Typedoc's pages are not VitePress's: the browser goes there, no script.
      { text: 'Library', link: '/reference/index.html', target: '_self' },
      { text: '中文', link: '/zh-CN' },
    ],
    sidebar: { '/': english, ...Object.fromEntries(CHINESE_PAGES.map((page) => [page, chinese])) },
  },
  // Without scripts too; with them theme/index.js says it.
  transformHtml: (code, id) =>
    id.endsWith('zh-CN.html') ? code.replace('<html lang="en"', '<html lang="zh-CN"') : undefined,
  buildEnd({ outDir }) {
    cpSync(at('docs/schemas'), `${outDir}/docs/schemas`, { recursive: true })
    if (existsSync(at('docs/reference'))) cpSync(at('docs/reference'), `${outDir}/reference`, { recursive: true })
  },
})
