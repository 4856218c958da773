// A start that fails says why in one line, and leaves nothing of itself behind.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { startNewsroom } from './support/newsroom'

let taken: Server
let folder: string
/** Where a server makes its private sockets. */
let sockets: string

beforeAll(async () => {
  taken = createServer()
  await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
  folder = await mkdtemp(join(tmpdir(), 'stet-'))
  sockets = await mkdtemp(join(tmpdir(), 's-'))
})
afterAll(async () => {
  await new Promise(resolve => taken.close(resolve))
  for (const made of [folder, sockets]) await rm(made, { recursive: true, force: true })
})

it('a port that is taken ends it, its stores and their sockets', async () => {
  const { port } = taken.address() as AddressInfo
  const start = startNewsroom({ dataDir: folder, env: { PORT: String(port), XDG_RUNTIME_DIR: sockets } })
  await expect(start).rejects.toThrow(
    new RegExp(
      `ended with 1 [^]*PORT ${port} cannot be listened on \\(EADDRINUSE\\): choose another one, or 0 for any`,
    ),
  )
  await expect(start).rejects.not.toThrow('"level":"error"')
  expect(await readdir(sockets)).toEqual([])
})
