import { render } from 'preact'
import { openKit } from '../kit/kit.js'
import { App } from './app.js'

/** The page of a folder's artefacts: `albertkit/browser` reads texts with them. */
const place = document.getElementById('app')
if (place !== null) {
  place.replaceChildren()
  render(<App kit={openKit()} />, place)
}
