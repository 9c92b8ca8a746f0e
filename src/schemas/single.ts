import * as z from '../vendor/zod.js'
import { notes, probability } from './common.js'

/** Documents of `fill-mask` and `sentence-order`. */

const masks = z.array(
  z.strictObject({
    position: z.int().check(z.describe('index of the token in the input, 0 is [CLS]')),
    candidates: z.array(z.strictObject({ token: z.string(), id: z.int(), probability })),
  }),
)

export const fillMaskSchema = z.strictObject({ text: z.string(), notes, masks })

export const fillMaskLineSchema = z.strictObject({
  line: z.int().check(z.describe('number of the line, from 1')),
  text: z.string(),
  masks,
})

export const sentenceOrderSchema = z.strictObject({
  inOrder: z.boolean(),
  probabilities: z.strictObject({ inOrder: probability, swapped: probability }),
  notes,
})
