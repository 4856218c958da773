// A whole newsroom as its user starts it: dist's server as a child process with a data directory of its own. With
// EVENTSTORE_URL and MONGODB_URL set it runs on those servers, under a stream prefix and in a database of its own.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export type Role = 'editor' | 'chief' | 'service' | 'analyst'

export interface Newsroom {
  readonly url: string
  readonly dataDir: string
  readonly env: Readonly<Record<string, string>>
  readonly process: ChildProcess
  /** Everything it has written so far, one entry a line. */
  readonly output: string[]
  token(role: Role): Promise<string>
  /** SIGTERM, then its exit code. */
  stop(): Promise<number | null>
  /** SIGKILL to the server itself; its children notice by themselves. */
  kill(): Promise<void>
  /** SIGKILL to the server and its children at once. */
  killTree(): Promise<void>
  /** Starts again on the same data; `wait` as when it was started first. */
  restart(options?: Pick<StartOptions, 'wait'>): Promise<Newsroom>
  /** Whether its ready line has come. */
  isReady(): boolean
  /** Removes the data directory. */
  dispose(): Promise<void>
}

export interface StartOptions {
  readonly app?: 'server' | 'editorial-api' | 'reader-api' | 'analyst-api' | 'projector'
  readonly dataDir?: string
  readonly env?: Readonly<Record<string, string>>
  /** False: do not wait for its ready line; its url is empty then. */
  readonly wait?: boolean
}

// dist/ holds the compiled copy of this file too: measurements run from there.
const root = join(__dirname, '../..').replace(/[\\/]dist$/, '')
const READY = /Stet is ready at (http:\/\/[^\s"]+)/
const running = new Set<ChildProcess>()
// A test run that is ended half-way leaves no server behind.
process.on('exit', () => running.forEach(child => killTree(child)))

const killTree = (child: ChildProcess): void => {
  try {
    process.kill(-child.pid!, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

/** What points an app at the servers under test: nothing for the embedded ones. */
export const storeEnvironment = (): Record<string, string> => {
  const { EVENTSTORE_URL, MONGODB_URL } = process.env
  if (!EVENTSTORE_URL || !MONGODB_URL) return {}
  const name = `test${randomUUID().slice(0, 8)}`
  return { EVENTSTORE_URL, MONGODB_URL, STREAM_PREFIX: `${name}.`, MONGODB_DATABASE: name }
}

/** Starts an app and waits for its ready line; rejects with its output when it ends before. */
export const startNewsroom = async (options: StartOptions = {}): Promise<Newsroom> => {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'stet-')))
  // One editor of a test sends what a newsroom sends.
  const env = {
    ...storeEnvironment(),
    LOG_LEVEL: 'warn',
    PORT: '0',
    RATE_LIMIT: 'off',
    ...options.env,
    DATA_DIR: dataDir,
  }
  const inherited = Object.fromEntries(
    ['PATH', 'HOME', 'TMPDIR', 'XDG_RUNTIME_DIR'].flatMap(name => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
  const main = join(root, 'dist/apps', options.app ?? 'server', 'src/main.js')
  const child = spawn(process.execPath, ['--enable-source-maps', main], {
    cwd: dataDir,
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, so that a test can end the whole tree at one instant.
    detached: true,
  })
  running.add(child)
  const ended = once(child, 'exit').then(([code]: (number | null)[]) => {
    running.delete(child)
    return code ?? null
  })
  const output: string[] = []
  let ready = false
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', line => {
        // Bounded: a load test logs more than anybody reads.
        if (output.push(line) > 5_000) output.shift()
        const found = READY.exec(line)
        if (!found?.[1]) return
        ready = true
        resolve(found[1])
      })
    if (options.wait === false) resolve('')
    void ended.then(code => reject(new Error(`ended with ${code} before it was ready:\n${output.join('\n')}`)))
  })
  const tokens = new Map<Role, string>()
  return {
    url,
    dataDir,
    env,
    process: child,
    output,
    token: async role => {
      const known = tokens.get(role) ?? (await readFile(join(dataDir, 'tokens', `${role}.token`), 'utf8')).trim()
      tokens.set(role, known)
      return known
    },
    stop: () => {
      child.kill('SIGTERM')
      return ended
    },
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    },
    killTree: async () => {
      killTree(child)
      await ended
    },
    restart: ({ wait = true } = {}) => startNewsroom({ ...options, wait, dataDir, env: { ...options.env, ...env } }),
    isReady: () => ready,
    dispose: () => rm(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }),
  }
}

/** Polls until a condition holds; the error names it when it never does. */
export const eventually = async <T>(
  what: string,
  check: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  timeout = 20_000,
): Promise<T> => {
  const deadline = performance.now() + timeout
  let last: unknown
  for (;;) {
    try {
      const value = await check()
      if (value !== null && value !== undefined && value !== false) return value
    } catch (error) {
      last = error
    }
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`, { cause: last })
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
