/** Names that files of a model have: most servers do not list their folders. */

const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/** Names of files beside a model. */
export const BESIDE = words(`
  config.json albert_config.json bert_config.json vocab.txt spiece.model tokenizer.json tokenizer_config.json
  special_tokens_map.json added_tokens.json labels.txt label2id.json modules.json albertkit.json
`)

/** Names that a model in a folder has. */
export const MODELS = words(`
  model.safetensors.index.json model.safetensors pytorch_model.bin.index.json pytorch_model.bin tf_model.h5 model.onnx
  onnx/model.onnx model.json tfjs/model.json checkpoint model.ckpt.index saved_model.pb model.zip model.tar.gz
`)

/** True for an archive, which has all files of its model in it. */
export const isArchive = (name: string): boolean => /\.(zip|tar|tar\.gz|tgz|keras)$/i.test(name)

/** Files of a page of links at most, each of which is asked for. */
const MAX_LINKS = 200

/** Names of files in its own folder that a page of a folder leads to, as web servers write them. */
export function namesIn(page: string, folder: URL): readonly string[] {
  const links = [...page.matchAll(/<a\s[^>]*?href\s*=\s*(?:"([^"]*)"|'([^']*)')/gi)]
  const names = links.flatMap(([, double, single]) => {
    const text = (double ?? single ?? '').replaceAll('&amp;', '&')
    const url = URL.canParse(text, folder) ? new URL(text, folder) : null
    if (url?.origin !== folder.origin || url.search !== '' || url.hash !== '') return []
    const name = url.pathname.startsWith(folder.pathname) ? url.pathname.slice(folder.pathname.length) : ''
    return name === '' || name.includes('/') ? [] : [safeDecode(name)]
  })
  return [...new Set(names)].slice(0, MAX_LINKS)
}

/** A part of a path without its percent signs; as it is if they are wrong. */
export function safeDecode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
