// `stet projections`: every read model with its version, how far it is behind the log, and what is parked.
import {
  dropOldGenerations,
  type GenerationStatus,
  type GroupStatus,
  type Lag,
  parkedDocuments,
  projectionStatus,
} from '@stet/eventsourcing'
import { Command, CommandRunner, Option } from 'nest-commander'
import { table, write } from '../output'
import { Stores } from '../stores'

interface ProjectionsFlags {
  readonly json?: boolean
  readonly dropOld?: boolean
}

@Command({ name: 'projections', description: 'show the read models: version, group, position, lag, parked events' })
export class ProjectionsCommand extends CommandRunner {
  constructor(private readonly stores: Stores) {
    super()
  }

  async run(_: string[], { json = false, dropOld = false }: ProjectionsFlags): Promise<void> {
    const sources = await this.stores.readModels()
    if (dropOld) {
      const dropped = await dropOldGenerations(sources.documents.db, sources.projections)
      if (!json) await write(dropped.map(name => `dropped ${name}\n`).join(''))
    }
    const groups = await projectionStatus(sources)
    const parked = await parkedDocuments(sources)
    const rows = rowsOf(groups, sources.projections)
    if (json) {
      await write(`${JSON.stringify({ projections: rows, parked }, null, 2)}\n`)
      return
    }
    await write(`${table(HEADER, rows.map(cellsOf))}\n`)
    if (rows.some(({ stage }) => stage === 'absent')) {
      await write('What is absent is built when the server runs (npm start) or by stet rebuild NAME.\n')
    }
    for (const { generation, key, events, error } of parked) {
      await write(`parked: ${generation} ${key}: ${events} events, ${error}\n`)
    }
    if (parked.length) await write('Mend the cause, then: stet rebuild NAME\n')
  }

  @Option({ flags: '--json', description: 'write JSON' })
  asJson(): boolean {
    return true
  }

  @Option({
    flags: '--drop-old',
    description: 'first drop generations that were replaced; not while old code runs or a rebuild is under way',
  })
  dropsOld(): boolean {
    return true
  }
}

/** A generation with what is known of its group; the lag is the group's, so only a live one has it. */
export interface Row {
  readonly name: string
  readonly version: number
  /** null: never built, in this version. */
  readonly generation: number | null
  readonly stage: GenerationStatus['stage'] | 'absent'
  readonly group: string
  readonly position: string | null
  readonly lag: Lag | null
  readonly parked: number
}

/** Every generation that there is, and every read model of this version that has none. */
export const rowsOf = (
  groups: readonly Pick<GroupStatus, 'group' | 'generations' | 'lag'>[],
  projections: readonly { readonly name: string; readonly version: number; readonly group: string }[],
): Row[] =>
  groups.flatMap(({ group, generations, lag }) => [
    ...generations.map(({ name, version, generation, stage, position, parked }) => ({
      ...{ name, version, generation, stage, group, position },
      lag: stage === 'live' ? lag : null,
      parked,
    })),
    ...projections
      .filter(of => of.group === group && !generations.some(is => is.name === of.name && is.version === of.version))
      .map(({ name, version }) => ({
        ...{ name, version, generation: null, stage: 'absent' as const, group, position: null },
        lag: null,
        parked: 0,
      })),
  ])

const HEADER = ['name', 'version', 'generation', 'stage', 'group', 'position', 'lag', 'parked']

export const cellsOf = ({
  name,
  version,
  generation,
  stage,
  group,
  position,
  lag,
  parked,
}: Row): (string | number)[] => [
  name,
  version,
  generation ?? '-',
  stage,
  group,
  position ?? '-',
  lag === null ? '-' : lagText(lag),
  parked,
]

/** `0`, `12 events, 3 s`, `1000+ events, 40 s`. */
const lagText = ({ events, more, seconds }: Lag): string =>
  events === 0 ? '0' : `${events}${more ? '+' : ''} events, ${Math.round(seconds)} s`
