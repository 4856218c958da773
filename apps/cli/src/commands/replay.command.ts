// `stet replay`: the history of the newsroom as NDJSON, the same records as GET /analyst/v1/events.
import { Command, CommandRunner, Option } from 'nest-commander'
import { UsageError, write } from '../output'
import { Stores } from '../stores'

interface ReplayFlags {
  readonly from?: string
  readonly stream?: string
  readonly type?: string[]
  readonly limit?: number
}

@Command({ name: 'replay', description: 'write the events of the log to standard output, one JSON record a line' })
export class ReplayCommand extends CommandRunner {
  constructor(private readonly stores: Stores) {
    super()
  }

  async run(_: string[], { from, stream, type, limit }: ReplayFlags): Promise<void> {
    const log = await this.stores.log()
    const { recordOf } = await import('@stet/api')
    const events = log.readAll({
      after: from ?? null,
      ...(stream === undefined ? {} : { stream }),
      ...(type === undefined ? {} : { filter: { types: type } }),
      ...(limit === undefined ? {} : { limit }),
    })
    for await (const event of events) await write(`${JSON.stringify(recordOf(event))}\n`)
  }

  @Option({ flags: '--from <position>', description: 'begin after this position' })
  parseFrom(position: string): string {
    if (!/^(0|[1-9]\d{0,19})$/.test(position))
      throw new UsageError(`--from ${position}: a position is a decimal number`)
    return position
  }

  @Option({ flags: '--stream <name>', description: 'only this stream, e.g. list-editors-choice' })
  parseStream(name: string): string {
    return name
  }

  @Option({ flags: '--type <types>', description: 'only events of these types, separated by commas' })
  parseType(types: string): string[] {
    return types.split(',').map(type => type.trim())
  }

  @Option({ flags: '--limit <number>', description: 'at most this many' })
  parseLimit(number: string): number {
    if (!/^[1-9]\d{0,14}$/.test(number)) throw new UsageError(`--limit ${number}: a whole number from 1 is needed`)
    return Number(number)
  }
}
