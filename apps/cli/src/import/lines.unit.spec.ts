// Lines of files, whatever their length and wherever a read ends.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { linesIn } from './lines'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'stet-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const linesOf = async (text: string, most: number): Promise<(string | null)[]> => {
  const path = join(folder, 'lines')
  writeFileSync(path, text)
  const lines: (string | null)[] = []
  for await (const line of linesIn(path, most)) lines.push(line)
  return lines
}

it.each([
  ['', []],
  ['a', ['a']],
  ['a\n', ['a']],
  ['a\n\nbc', ['a', '', 'bc']],
  ['a\r\nb\n', ['a\r', 'b']],
  ['1234567\n12345678\n1', ['1234567', null, '1']],
  ['ééé\néééé', ['ééé', null]],
])('%j', async (text, lines) => expect(await linesOf(text, 7)).toEqual(lines))

it('goes on after a line that is longer than many reads, and puts one together that is not too long', async () => {
  const long = 'ü'.repeat(400_000)
  expect(await linesOf(`${long}\nb`, 799_999)).toEqual([null, 'b'])
  expect(await linesOf(`${long}\nb`, 800_000)).toEqual([long, 'b'])
})
