// Links that open one thing until they end.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { LINK_KEY, SignedLinks } from './signed-links'

const ID = '3f0c1f5e-8a5d-4d5e-9a53-0d8f6f1f2a01'
const KEY = 'a-key-of-at-least-32-characters-0'
const until = new Date('2026-03-01T12:00:00Z')
const before = new Date(until.getTime() - 1)

let dataDir: string
beforeAll(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'stet-'))
})
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))
const shared = (previewKey = KEY) => new SignedLinks({ dataDir: '/nowhere', previewKey })

describe('a signed link', () => {
  it('opens what it was signed for, in every process with the key, until it ends', async () => {
    const token = await shared().sign(ID, until)
    expect(token).toHaveLength(72)
    expect(await shared().idOf(token, before)).toBe(ID)
    expect(await shared().idOf(token, until)).toBeNull()
  })

  it('opens nothing under another key, nor with a single bit changed', async () => {
    const token = await shared().sign(ID, until)
    expect(await shared(`${KEY}1`).idOf(token, before)).toBeNull()
    const bytes = Buffer.from(token, 'base64url')
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const forged = Buffer.from(bytes)
      forged[bit >> 3]! ^= 1 << (bit & 7)
      expect(await shared().idOf(forged.toString('base64url'), before)).toBeNull()
    }
    for (const other of ['', 'x', `${token}A`, token.slice(1), '☃'.repeat(72), '='.repeat(72), token.slice(0, 71)])
      expect(await shared().idOf(other, before)).toBeNull()
  })

  it('is signed with a key of its own in the data directory, one for all that start at once', async () => {
    const processes = Array.from({ length: 8 }, () => new SignedLinks({ dataDir, previewKey: null }))
    const tokens = await Promise.all(processes.map(links => links.sign(ID, until)))
    expect(new Set(tokens).size).toBe(1)
    expect(await new SignedLinks({ dataDir, previewKey: null }).idOf(tokens[0]!, before)).toBe(ID)
    expect(readFileSync(join(dataDir, LINK_KEY), 'utf8')).toMatch(/^[0-9a-f]{64}\n$/)
    expect(statSync(join(dataDir, LINK_KEY)).mode & 0o777).toBe(0o600)
  })
})
