// Closed-loop HTTP load from a process of its own: N keep-alive connections, each with one request under way. Plain sockets
// and a minimal reader of answers, so that the generator costs a fraction of what it measures.
import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

export interface LoadSpec {
  readonly url: string
  readonly method?: 'GET' | 'POST'
  /** Paths to ask for, in turn (already in the order wanted); connections start at different places of it. */
  readonly paths: readonly string[]
  /** Bodies, in turn, of a POST. */
  readonly bodies?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  /** Adds X-Forwarded-For with a different address for each request. */
  readonly addresses?: boolean
  /** Adds an Idempotency-Key of its own to each request. */
  readonly keys?: boolean
  /** Each connection asks for the path of its own number only: nobody shares an article. */
  readonly ownPaths?: boolean
  readonly connections: number
  readonly seconds: number
  /** Seconds before the measuring starts. */
  readonly warmup?: number
}

export interface LoadResult {
  /** Answers a second. */
  readonly rate: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly statuses: Readonly<Record<string, number>>
}

/** Runs the load in a child process. */
export const hammer = async (spec: LoadSpec): Promise<LoadResult> => {
  const child = fork(__filename, { serialization: 'advanced' })
  child.send(spec)
  const [result] = (await once(child, 'message')) as [LoadResult]
  child.kill()
  return result
}

const generate = async (spec: LoadSpec): Promise<LoadResult> => {
  const { hostname, port } = new URL(spec.url)
  const latencies: number[] = []
  const statuses: Record<string, number> = {}
  let measuring = false
  let n = 0
  const head = Object.entries(spec.headers ?? {})
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')

  const request = (connection: number): string => {
    const i = spec.ownPaths ? connection : n++
    const address = spec.addresses ? `x-forwarded-for: 10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}\r\n` : ''
    const key = spec.keys ? `idempotency-key: ${randomUUID()}\r\n` : ''
    const body = spec.bodies?.[(spec.ownPaths ? n++ : i) % spec.bodies.length]
    const length = body === undefined ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`
    const path = spec.paths[i % spec.paths.length]
    return `${spec.method ?? 'GET'} ${path} HTTP/1.1\r\nhost: ${hostname}\r\n${head}${address}${key}${length}\r\n${body ?? ''}`
  }

  const converse = (socket: Socket, connection: number): void => {
    let sent = performance.now()
    let pending: Buffer = Buffer.alloc(0)
    let missing = 0
    const next = () => {
      sent = performance.now()
      socket.write(request(connection))
    }
    socket.on('data', (chunk: Buffer) => {
      if (missing > 0) {
        missing -= chunk.length
        if (missing > 0) return
      } else {
        pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
        const end = pending.indexOf('\r\n\r\n')
        if (end < 0) return
        const headers = pending.toString('latin1', 0, end)
        const length = Number(/\r\ncontent-length: (\d+)/i.exec(headers)?.[1] ?? 0)
        const status = headers.slice(9, 12)
        if (measuring) statuses[status] = (statuses[status] ?? 0) + 1
        missing = end + 4 + length - pending.length
        pending = Buffer.alloc(0)
        if (missing > 0) return
      }
      missing = 0
      if (measuring) latencies.push(performance.now() - sent)
      next()
    })
    next()
  }

  const sockets: Socket[] = []
  for (let i = 0; i < spec.connections; i++) {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    socket.on('error', () => (statuses.error = (statuses.error ?? 0) + 1))
    sockets.push(socket)
    // Thousands of connections at once overrun the listen queue; a few hundred at a time do not.
    if (i % 256 === 255) await delay(20)
    socket.once('connect', () => converse(socket, i))
  }
  await delay((spec.warmup ?? 1) * 1_000)
  measuring = true
  const started = performance.now()
  await delay(spec.seconds * 1_000)
  measuring = false
  const elapsed = (performance.now() - started) / 1_000
  sockets.forEach(socket => socket.destroy())
  latencies.sort((a, b) => a - b)
  const quantile = (q: number) => latencies[Math.floor(q * (latencies.length - 1))] ?? NaN
  return { rate: latencies.length / elapsed, p50: quantile(0.5), p99: quantile(0.99), statuses }
}

if (process.send && require.main === module)
  process.once('message', spec => {
    void generate(spec as LoadSpec).then(result => process.send?.(result))
  })
