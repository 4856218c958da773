// What the docs list is what the code has.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { CACHE } from '@stet/api'
import { projections } from '@stet/newsroom'
import { PROBLEMS, ROLES } from '@stet/platform'

const docs = (name: string): Promise<string> => readFile(join(__dirname, '../docs', name), 'utf8')

describe('the docs', () => {
  it('have a row for every event, and for no other', async () => {
    const rows = [...(await docs('events.md')).matchAll(/^\| `([A-Z]\w+)`/gm)].map(([, type]) => type)
    // Every read model answers every event, so any of them names them all.
    expect(rows.sort()).toEqual(Object.keys(projections[0]!.on).sort())
  })

  it('name every problem, role and cache lifetime', async () => {
    const http = await docs('http.md')
    for (const name of Object.keys(PROBLEMS)) expect(http).toContain(`\`${name}\``)
    for (const value of Object.values(CACHE)) expect(http).toContain(`\`${value}\``)
    for (const role of ROLES) expect(http).toContain(role)
  })

  it('link to files that exist', async () => {
    for (const name of [
      '../README.md',
      '../CONTRIBUTING.md',
      'architecture.md',
      'http.md',
      'operations.md',
      'embedded-stores.md',
    ]) {
      const text = await docs(name)
      const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)].map(([, link]) => link!)
      for (const link of links)
        await expect(readFile(join(__dirname, '../docs', name, '..', link))).resolves.toBeDefined()
    }
  })
})
