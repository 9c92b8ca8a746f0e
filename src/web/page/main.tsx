import { render } from 'preact'
import { openKit } from '../kit/kit.js'
import { App } from './app.js'

/** The workbench: `albertkit/browser` with a face. */
const place = document.getElementById('app')
if (place !== null) {
  place.replaceChildren()
  render(<App kit={openKit()} />, place)
}
