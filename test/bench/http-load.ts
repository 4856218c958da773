// Closed-loop HTTP load from a process of its own: N keep-alive connections, each with one request under way. Plain sockets
// and a minimal reader of answers, so that the generator costs a fraction of what it measures.
import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { quantile } from './measures'

export interface LoadSpec {
  readonly url: string
  readonly method?: 'GET' | 'POST'
  /** Paths to ask for, in turn (already in the order wanted); connections start at different places of it. */
  readonly paths: readonly string[]
  /** Bodies, in turn, of a POST; `$uuid` in them becomes another UUID for each request. */
  readonly bodies?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  /** Adds X-Forwarded-For with a different address for each request. */
  readonly addresses?: boolean
  /** Adds an Idempotency-Key of its own to each request. */
  readonly keys?: boolean
  /** Each connection asks for the path of its own number only: nobody shares an article. */
  readonly ownPaths?: boolean
  readonly connections: number
  /** The only status that counts as an answer; 200 when absent. */
  readonly expects?: string
  /** How long to measure: so many seconds, until each path was asked for once, or until `stop` is called. */
  readonly measure: number | 'once' | 'until stopped'
  /** Seconds before the measuring starts, all connections being open and each having had an answer; 1 when absent. */
  readonly warmup?: number
}

export interface LoadResult {
  /** Expected answers a second. */
  readonly rate: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** All answers, the unexpected too; `closed` connections among them. */
  readonly statuses: Readonly<Record<string, number>>
  /** Expected answers in each whole second of the measuring. */
  readonly bySecond: readonly number[]
}

export interface Load {
  /** Resolves when all connections are open, each has had an answer and the warm-up is over. */
  readonly steady: Promise<void>
  readonly result: Promise<LoadResult>
  /** Ends the measuring. */
  stop(): void
}

type Message = 'steady' | LoadResult

/** Starts the load in a child process. */
export const startLoad = (spec: LoadSpec): Load => {
  const child = fork(__filename, { serialization: 'advanced' })
  child.send(spec)
  const result = new Promise<LoadResult>((resolve, reject) => {
    child.on('message', (message: Message) => {
      if (message === 'steady') return
      resolve(message)
      child.kill()
    })
    child.once('exit', () => reject(new Error('the load ended without a result')))
  })
  const steady = Promise.race([once(child, 'message'), result]).then(() => undefined)
  return { steady, result, stop: () => void child.send('stop') }
}

/** Runs the load to its end. */
export const hammer = (spec: LoadSpec): Promise<LoadResult> => startLoad(spec).result

const generate = async (spec: LoadSpec, stopped: Promise<unknown>, steady: () => void): Promise<LoadResult> => {
  const { hostname, port } = new URL(spec.url)
  const { expects = '200', measure } = spec
  const latencies: number[] = []
  const bySecond: number[] = []
  const statuses: Record<string, number> = {}
  let measuring = measure === 'once'
  let ended = false
  let n = 0
  let started = 0
  const head = Object.entries(spec.headers ?? {})
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
  const tally = (status: string) => (statuses[status] = (statuses[status] ?? 0) + 1)

  const request = (connection: number): string => {
    const i = spec.ownPaths ? connection : n++
    const address = spec.addresses ? `x-forwarded-for: 10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}\r\n` : ''
    const key = spec.keys ? `idempotency-key: ${randomUUID()}\r\n` : ''
    const body = spec.bodies?.[(spec.ownPaths ? n++ : i) % spec.bodies.length]?.replace('$uuid', () => randomUUID())
    const length = body === undefined ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`
    const path = spec.paths[i % spec.paths.length]
    return `${spec.method ?? 'GET'} ${path} HTTP/1.1\r\nhost: ${hostname}\r\n${head}${address}${key}${length}\r\n${body ?? ''}`
  }

  const heard = new Set<number>()
  let allAnswered = () => {}
  const everyoneAnswered = new Promise<void>(resolve => (allAnswered = resolve))
  let lost: (error: Error) => void = () => {}
  const anyLost = new Promise<never>((_, reject) => (lost = reject))
  // Looked at while waiting; afterwards a lost connection is counted.
  anyLost.catch(() => undefined)
  let done = 0
  let allDone = () => {}
  const everyPathAsked = new Promise<void>(resolve => (allDone = resolve))

  const converse = (socket: Socket, connection: number): void => {
    let sent = performance.now()
    let pending: Buffer = Buffer.alloc(0)
    let missing = 0
    let status = ''
    const next = () => {
      if (measure === 'once' && n >= spec.paths.length) {
        if (++done === spec.connections) allDone()
        return
      }
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
        status = headers.slice(9, 12)
        missing = end + 4 + length - pending.length
        pending = Buffer.alloc(0)
        if (missing > 0) return
      }
      missing = 0
      if (measuring) {
        tally(status)
        if (status === expects) {
          const now = performance.now()
          latencies.push(now - sent)
          const second = Math.floor((now - started) / 1_000)
          bySecond[second] = (bySecond[second] ?? 0) + 1
        }
      }
      heard.add(connection)
      if (heard.size === spec.connections) allAnswered()
      next()
    })
    next()
  }

  const sockets: Socket[] = []
  let reopened = 0
  const open = (i: number): void => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    sockets[i] = socket
    // What follows is 'close'.
    socket.on('error', () => undefined)
    socket.once('close', () => {
      if (ended) return
      if (measuring) {
        tally('closed')
        lost(new Error('a connection was closed amid the measuring'))
      } else if (++reopened > spec.connections) lost(new Error('the server closes one connection after the other'))
      else setTimeout(() => open(i), 50)
    })
    // At once: a server gives up on a connection that is open for long without a request.
    socket.once('connect', () => converse(socket, i))
  }
  started = performance.now()
  for (let i = 0; i < spec.connections; i++) {
    open(i)
    // Thousands of connections at once overrun the listen queue; a few hundred at a time mostly do not, and a busy server
    // that resets some all the same is asked again.
    if (i % 256 === 255) await delay(20)
  }
  if (measure === 'once') {
    steady()
    await Promise.race([everyPathAsked, anyLost])
  } else {
    await Promise.race([everyoneAnswered, anyLost])
    await delay((spec.warmup ?? 1) * 1_000)
    // From here on none is lost without being counted.
    measuring = true
    started = performance.now()
    steady()
    await (measure === 'until stopped' ? stopped : delay(measure * 1_000))
  }
  measuring = false
  ended = true
  const elapsed = (performance.now() - started) / 1_000
  sockets.forEach(socket => socket.destroy())
  latencies.sort((a, b) => a - b)
  return {
    rate: latencies.length / elapsed,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    statuses,
    bySecond: Array.from({ length: Math.floor(elapsed) }, (_, second) => bySecond[second] ?? 0),
  }
}

/** The slowest and the fastest second of a load, to see that it was steady. */
export const steadiness = ({ bySecond }: LoadResult): string => `${Math.min(...bySecond)} to ${Math.max(...bySecond)}`

if (process.send && require.main === module) {
  process.once('message', spec => {
    const stopped = once(process, 'message')
    const send = (message: Message) => process.send?.(message)
    generate(spec as LoadSpec, stopped, () => send('steady')).then(send, (error: unknown) => {
      console.error(error)
      process.exit(1)
    })
  })
}
