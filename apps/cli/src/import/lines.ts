// The lines of a file, however long: none is held in memory beyond a bound.
import { createReadStream } from 'node:fs'

const NEWLINE = 0x0a

/** Each line without its end; null for one of more than `most` bytes, of which nothing is kept. */
export async function* linesIn(path: string, most: number): AsyncGenerator<string | null> {
  let parts: Buffer[] = []
  let bytes = 0
  const line = () => {
    const text = bytes > most ? null : Buffer.concat(parts).toString()
    parts = []
    bytes = 0
    return text
  }
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let start = 0
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start)
      const part = chunk.subarray(start, end < 0 ? undefined : end)
      bytes += part.length
      if (bytes <= most) parts.push(part)
      else parts = []
      if (end < 0) break
      yield line()
      start = end + 1
    }
  }
  if (bytes > 0) yield line()
}
