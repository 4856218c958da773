// Live subscriptions to $all, each filtered by a stream prefix of its own: SOCKET COUNT. Says so once all have caught up.
import { once } from 'node:events'
import { END, EventStoreDBClient, streamNameFilter } from '@eventstore/db-client'

const [socketPath, count] = process.argv.slice(2)

const listen = async (): Promise<void> => {
  const client = new EventStoreDBClient({ endpoint: `unix:${socketPath}` as never }, { insecure: true })
  for (let n = 0; n < Number(count); n++) {
    const filter = streamNameFilter({ prefixes: [`heard-${n}-`] })
    const subscription = client.subscribeToAll({ fromPosition: END, filter })
    subscription.on('data', () => {})
    await once(subscription, 'caughtUp')
  }
  console.log('listening')
}

void listen()
