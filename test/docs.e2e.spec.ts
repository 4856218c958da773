// What the docs list is what the code has.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { CACHE, roleTable } from '@stet/api'
import { projections } from '@stet/newsroom'
import { access, PROBLEMS, ROLES } from '@stet/platform'

const docs = (name: string): Promise<string> => readFile(join(__dirname, '../docs', name), 'utf8')

const BETWEEN = /(<!-- roles -->)[^]*(<!-- \/roles -->)/

describe('the docs', () => {
  it('have a row for every event, and for no other', async () => {
    const rows = [...(await docs('events.md')).matchAll(/^\| `([A-Z]\w+)`/gm)].map(([, type]) => type)
    // Every read model answers every event, so any of them names them all.
    expect(rows.sort()).toEqual([...Object.keys(projections[0]!.on), ...Object.keys(access.evolve)].sort())
  })

  it('name every problem, role and cache lifetime', async () => {
    const http = await docs('http.md')
    for (const name of Object.keys(PROBLEMS)) expect(http).toContain(`\`${name}\``)
    for (const value of Object.values(CACHE)) expect(http).toContain(`\`${value}\``)
    for (const role of ROLES) expect(http).toContain(role)
  })

  it('print the table of roles as the code has it', async () => {
    const http = await docs('http.md')
    const printed = http.replace(BETWEEN, `$1\n\n${roleTable()}\n\n$2`)
    expect(http).toMatch(BETWEEN)
    // `npm run docs:print` prints it; anything else only compares.
    if (process.env.DOCS === 'print') await writeFile(join(__dirname, '../docs/http.md'), printed)
    else expect(http).toBe(printed)
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
