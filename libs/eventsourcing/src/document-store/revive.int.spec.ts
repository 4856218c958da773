// A document store whose process ends and comes back under load is reached again each time.
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EmbeddedStores, scavengeEmbeddedStores, startEmbeddedStores } from '@stet/embedded'
import { connectDocumentStore, type DocumentStore } from './document-store'

let dataDir: string
let stores: EmbeddedStores
let documents: DocumentStore
beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'stet-'))
  stores = await startEmbeddedStores({ dataDir })
  documents = connectDocumentStore({ url: stores.mongodbUrl, database: 'stet' })
})
afterAll(async () => {
  await documents.close()
  await stores.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

test('whatever the driver was about to ask when its connections ended', async () => {
  interface Thing {
    readonly _id: number
    readonly text: string
  }
  let ending = false
  let done = 0
  const work = async (n: number): Promise<void> => {
    const things = await documents.db.createCollection<Thing>(`things-${n}`)
    const once = async (): Promise<void> => {
      await documents.client.withSession(session =>
        session.withTransaction(() =>
          things.updateOne({ _id: done % 50 }, { $set: { text: 'x'.repeat(2000) } }, { upsert: true, session }),
        ),
      )
      await things.find({}).limit(20).toArray()
    }
    while (!ending) {
      const ok = await once().then(
        () => true,
        () => false,
      )
      if (ok) done++
      else await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
  const workers = [1, 2, 3, 4, 5, 6, 7, 8].map(work)
  const goesOn = async (): Promise<void> => {
    const before = done
    const since = performance.now()
    while (done < before + 50) {
      if (performance.now() - since > 15_000) throw new Error('the store is not reached any more')
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
  // A scavenge ends the stores' process, which its parent starts again.
  for (let round = 0; round < 10; round++) {
    await goesOn()
    await scavengeEmbeddedStores({ dataDir })
  }
  await goesOn()
  ending = true
  await Promise.all(workers)
  expect(done).toBeGreaterThan(500)
}, 300_000)
