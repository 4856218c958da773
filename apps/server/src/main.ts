// The whole newsroom in one process tree, on embedded stores unless others are named: what `npm start` runs.
import 'reflect-metadata'
import { openNewsroom } from '@stet/api'
import { startEmbeddedStores } from '@stet/embedded'
import { type AppContext, runApp } from '@stet/platform'

const openStores = async ({ config, logger }: AppContext) => {
  const { eventStoreUrl, mongodbUrl, dataDir } = config
  if (eventStoreUrl !== null && mongodbUrl !== null) return { eventStoreUrl, mongodbUrl, stop: async () => {} }
  const embedded = await startEmbeddedStores({ dataDir, log: line => logger.warn(line) })
  return {
    eventStoreUrl: eventStoreUrl ?? embedded.eventStoreUrl,
    mongodbUrl: mongodbUrl ?? embedded.mongodbUrl,
    stop: () => embedded.stop(),
  }
}

void runApp({
  name: 'server',
  stores: 'embedded-or-remote',
  open: async context => {
    const stores = await openStores(context)
    return openNewsroom(context, stores, ['editorial', 'reader', 'analyst', 'projections'], () => stores.stop())
  },
})
