import * as z from '../vendor/zod.js'
import { config, nullableNumber } from './common.js'

/** Document of `layers`. */

const modelLayers = z.strictObject({
  model: z.string(),
  family: config.shape.family,
  architecture: config.shape.architecture,
  inputs: z.strictObject({
    kind: z.oneOf(['golden', 'text', 'sentences', 'drawn']),
    rows: z.int(),
    tokens: z.int().check(z.describe('tokens that the means are taken over, padding left out')),
  }),
  layers: z.array(
    z.strictObject({
      layer: z
        .int()
        .check(z.gte(0))
        .check(z.describe('counts from 0; inner layers of TensorFlow families are layers of their own')),
      l2: z
        .number()
        .check(
          z.describe('mean L2 distance of a token’s input and output; the input of layer 0 is after the projection'),
        ),
      cosine: z.number().check(z.describe('mean cosine of the angle between input and output')),
    }),
  ),
  heads: z.array(
    z.strictObject({
      layer: z.int().check(z.gte(0)),
      inner: z.int().check(z.gte(0)).check(z.describe('hf: index of the inner layer within the layer; else 0')),
      head: z.int().check(z.gte(0)),
      entropy: z.number().check(z.gte(0)).check(z.describe('mean entropy of a token’s attention, in nats')),
      normalised: nullableNumber.check(
        z.describe('as a fraction of the largest that the row allows; null if no row has two tokens'),
      ),
      norm: z
        .number()
        .check(z.gte(0))
        .check(z.describe('mean L2 norm of what the head adds: its context times its rows of the output kernel')),
    }),
  ),
  notes: z.array(z.string()),
})

export const layersSchema = z.union([modelLayers, z.strictObject({ models: z.array(modelLayers) })])
