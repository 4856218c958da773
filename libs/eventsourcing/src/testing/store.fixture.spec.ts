// For the specs of this room: a real event store in a folder of its own, and a small domain to send commands to.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEventStore } from '@stet/embedded'
import { v4 } from 'uuid'
import { type Envelope, decider } from '../decider'
import { NotFound, RuleBroken } from '../errors'

/** An event store that can be stopped and started again on the same data, at the same url. */
export const temporaryEventStore = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stet-'))
  const options = { socketPath: join(folder, 'es.sock'), directory: join(folder, 'data') }
  let running: Awaited<ReturnType<typeof startEventStore>> | null = await startEventStore(options)
  const stop = async () => {
    await running?.close()
    running = null
  }
  return {
    url: `unix:${options.socketPath}`,
    stop,
    start: async () => {
      running = await startEventStore(options)
    },
    remove: async () => {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Resolves once `condition` holds. */
export const eventually = async (condition: () => boolean | Promise<boolean>, milliseconds = 20_000): Promise<void> => {
  const until = performance.now() + milliseconds
  while (!(await condition())) {
    if (performance.now() > until) throw new Error('this never became true')
    await new Promise(resolve => setImmediate(resolve))
  }
}

export interface JarEvents {
  JarOpened: { label: string }
  CoinsAdded: { coins: number; note?: string | undefined }
  JarNamed: { name: string }
  /** All that is left is the sum. */
  JarPurged: { coins: number }
  JarBroken: Record<string, never>
}
export interface Jar {
  readonly label: string | null
  readonly coins: number
  readonly names: readonly string[]
}

export class OpenJar {
  label!: string
}
export class AddCoins {
  coins!: number
  note?: string | undefined
}
export class NameJar {
  name!: string
  exact?: boolean
}
export class PourFrom {
  jar!: string
}

export class PurgeJar {}
export class BreakJar {}

/** A jar with coins: refuses what it is not opened for, adding none changes nothing, a name belongs to one jar. */
export const jars = decider<Jar, JarEvents>()({
  category: 'jar',
  commands: { OpenJar, AddCoins, NameJar, PourFrom, PurgeJar, BreakJar },
  initial: { label: null, coins: 0, names: [] },
  decide: {
    OpenJar: ({ label }, jar) => (jar.label === null ? [{ type: 'JarOpened', data: { label } }] : []),
    AddCoins({ coins, note }, jar) {
      if (jar.label === null) throw new NotFound('there is no such jar')
      if (jar.coins + coins > 1_000_000) throw new RuleBroken('jar-full', 'the jar is full')
      // One event per ten coins: a command may record several.
      const events = Array.from({ length: Math.ceil(coins / 10) }, (_, index) => Math.min(10, coins - 10 * index))
      return events.map(part => ({ type: 'CoinsAdded', data: { coins: part, note } }))
    },
    NameJar(_, jar, { reserved }) {
      if (reserved === null) throw new Error('nothing was reserved')
      return jar.names.at(-1) === reserved ? [] : [{ type: 'JarNamed', data: { name: reserved } }]
    },
    PourFrom: () => [{ type: 'CoinsAdded', data: { coins: 1 } }],
    PurgeJar: (_, { coins }) => [{ type: 'JarPurged', data: { coins } }],
    BreakJar: () => [{ type: 'JarBroken', data: {} }],
  },
  anew: { JarPurged: 'remember', JarBroken: 'forget' },
  reserve: {
    NameJar: ({ name, exact }, _jar, { key }) => ({
      category: 'name',
      candidates: exact ? [name] : [name, `${name}-2`, `${name}-3`],
      event: { type: 'NameReserved', data: { jar: key } },
      taken: () => new RuleBroken('name-taken', `${name} is taken`),
    }),
  },
  exists: { PourFrom: ({ jar }) => `jar-${jar}` },
  evolve: {
    JarOpened: (jar, { data }) => ({ ...jar, label: data.label }),
    CoinsAdded: (jar, { data }) => ({ ...jar, coins: jar.coins + data.coins }),
    JarPurged: (_, { data }) => ({ label: 'purged', coins: data.coins, names: [] }),
    JarBroken: () => ({ label: null, coins: 0, names: [] }),
    JarNamed: (jar, { data }) => ({ ...jar, names: [...jar.names, data.name] }),
  },
})

/** A command with its fields. */
export const command = <C extends object>(type: new () => C, fields: Partial<C>): C => Object.assign(new type(), fields)

export const envelope = (key: string, rest: Partial<Envelope> = {}): Envelope => ({
  key,
  commandId: v4(),
  actor: 'editor-1',
  at: '2026-01-02T03:04:05.000Z',
  correlationId: 'correlation-1',
  ...rest,
})
