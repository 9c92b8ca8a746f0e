import { buildHeader } from '../formats/safetensors/write.js'
import { refuseExisting, WholeFile } from './atomic-file.js'

/** Formats of a file with one float32 matrix, written row by row; the header gets the number of rows at the end. */
export const MATRIX_FORMATS = ['npy', 'safetensors'] as const
export type MatrixFormat = (typeof MATRIX_FORMATS)[number]

/** Bytes reserved for the header; more than it can need. */
const HEADER = 256
const PIECE = 1 << 20

/** Header of NumPy's format, version 1.0: magic, version, length of the rest, a Python literal padded with spaces. */
function npyHeader(rows: number, width: number): Buffer {
  const header = Buffer.alloc(HEADER, 0x20)
  header.write('\x93NUMPY\x01\x00', 'latin1')
  header.writeUInt16LE(HEADER - 10, 8)
  header.write(`{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${width}), }`, 10)
  header[HEADER - 1] = 0x0a
  return header
}

const safetensorsHeader = (rows: number, width: number): Uint8Array =>
  buildHeader([{ name: 'vectors', dtype: 'F32', shape: [rows, width] }], {}, HEADER)

const HEADERS = { npy: npyHeader, safetensors: safetensorsHeader } as const

/** A matrix `[rows, width]` as an .npy file, or as the tensor `vectors` of a .safetensors file; whole or not at all. */
export class MatrixFile {
  readonly #file: WholeFile
  readonly #buffer: Buffer
  #used = 0
  #rows = 0

  /** @throws AlbertkitError `output` */
  constructor(
    path: string,
    readonly format: MatrixFormat,
    readonly width: number,
    force: boolean,
  ) {
    refuseExisting(path, force)
    this.#buffer = Buffer.alloc(Math.max(1, Math.floor(PIECE / (4 * width))) * 4 * width)
    this.#file = new WholeFile(path)
    try {
      this.#file.write(HEADERS[format](0, width))
    } catch (error) {
      this.#file.discard()
      throw error
    }
  }

  get rows(): number {
    return this.#rows
  }

  get bytes(): number {
    return this.#file.bytes + this.#used
  }

  add(row: ArrayLike<number>): void {
    // -0 becomes 0, as in the JSON lines that shards hold.
    for (let i = 0; i < this.width; i++) this.#used = this.#buffer.writeFloatLE(row[i]! + 0, this.#used)
    this.#rows++
    if (this.#used === this.#buffer.length) this.#flush()
  }

  #flush(): void {
    this.#file.write(this.#buffer.subarray(0, this.#used))
    this.#used = 0
  }

  /** @throws AlbertkitError `output` */
  async commit(): Promise<void> {
    this.#flush()
    this.#file.writeAt(0, HEADERS[this.format](this.#rows, this.width))
    await this.#file.flush()
    this.#file.commit()
  }

  discard(): void {
    this.#file.discard()
  }
}
