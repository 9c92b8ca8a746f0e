import { describe, expect, it } from 'vitest'
import { namesIn } from '../../../src/hub/http/usual-names.js'

const FOLDER = new URL('https://host/models/tiny/')

describe('namesIn', () => {
  it.each([
    ['Apache', '<tr><td><a href="?C=N;O=D">Name</a></td></tr><a href="/models/">Parent</a><a href="config.json">c</a>'],
    ['nginx', '<a href="../">../</a>\n<a href="sub/">sub/</a><a href="config.json">config.json</a>   1 KB'],
    ['http.server', '<li><a href="config.json">config.json</a></li><li><a href="sub/">sub/</a></li>'],
    ['Caddy', "<a class=file href='./config.json'><svg/></a>"],
    ['absolute', '<a href="https://host/models/tiny/config.json">x</a><a href="https://other/vocab.txt">y</a>'],
  ])('finds the files of a page of %s', (_, page) => {
    expect(namesIn(page, FOLDER)).toEqual(['config.json'])
  })

  it('decodes names, gives each once, and takes no page of other links for a list', () => {
    expect(namesIn('<a href="a%20b&amp;c.ckpt.index">x</a><a href="a%20b&c.ckpt.index">y</a>', FOLDER)).toEqual([
      'a b&c.ckpt.index',
    ])
    expect(namesIn('<a href="javascript:x()">x</a><a href="//">y</a><a href="#top">z</a><a>no</a>', FOLDER)).toEqual([])
    expect(namesIn('<a href="%zz">x</a>', FOLDER)).toEqual(['%zz'])
  })

  it('takes 200 names at most', () => {
    const page = Array.from({ length: 300 }, (_, i) => `<a href="f${i}">`).join('')
    expect(namesIn(page, FOLDER)).toHaveLength(200)
  })
})
