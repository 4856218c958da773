// From a publish answer to the reader's page, alone and under full view load.
import { Client } from '../support/client'
import { hammer } from './http-load'
import { below, type Measure, quantile, stated } from './measures'
import { articleId, zipf } from './seed-log'
import { BROWSER, seeded } from './support'

export const propagation = async (): Promise<Measure[]> => {
  const newsroom = await seeded({ articles: 1_000, views: 0 })
  try {
    const client = new Client(newsroom)
    const alone = await latencies(client, 10)
    const load = hammer({
      url: newsroom.url,
      method: 'POST',
      paths: ['/reader/v1/views'],
      bodies: Array.from({ length: 5_000 }, (_, i) => JSON.stringify({ articleId: articleId(zipf(i, 1_000)) })),
      headers: { 'content-type': 'application/json', 'user-agent': BROWSER },
      addresses: true,
      connections: 4_096,
      seconds: 14,
      warmup: 3,
    })
    const loaded = await latencies(client, 12)
    const { rate } = await load
    return [
      below('publish to page, p99', quantile(alone, 0.99), 'ms', 150),
      below('publish to page under full view load, p99', quantile(loaded, 0.99), 'ms', 150),
      stated('p50, alone and loaded', `${quantile(alone, 0.5).toFixed(1)} ms, ${quantile(loaded, 0.5).toFixed(1)} ms`),
      stated('publications measured', `${alone.length}, ${loaded.length} (at ${Math.round(rate)} views/s)`),
    ]
  } finally {
    await newsroom.stop()
    await newsroom.dispose()
  }
}

/** Milliseconds from each publish answer until a reader's GET shows it, sorted. */
const latencies = async (client: Client, seconds: number): Promise<number[]> => {
  const found: number[] = []
  const end = performance.now() + seconds * 1_000
  for (let n = 0; performance.now() < end; n++) {
    const { id } = await client.publish(`Measured ${n}`)
    const answered = performance.now()
    while ((await client.get(`/reader/v1/articles/${id}`)).status !== 200);
    found.push(performance.now() - answered)
  }
  return found.sort((a, b) => a - b)
}
