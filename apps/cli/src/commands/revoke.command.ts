// `stet token revoke`: ends access before its time, in every process that runs on this log.
import { randomUUID } from 'node:crypto'
import { access, localActor, RevokeAccess, REVOCATIONS } from '@stet/platform'
import { CommandRunner, Option, SubCommand } from 'nest-commander'
import { CLI_ACTOR } from '../newsroom'
import { UsageError, write } from '../output'
import { Stores } from '../stores'

interface RevokeFlags {
  readonly of?: string
  readonly reason?: string
}

@SubCommand({
  name: 'revoke',
  arguments: '[id]',
  description: 'refuse a token by its id (jti), or what an actor (sub) was given until now',
})
export class RevokeCommand extends CommandRunner {
  constructor(private readonly stores: Stores) {
    super()
  }

  async run([given]: string[], { of, reason }: RevokeFlags): Promise<void> {
    const id = given ?? (of === undefined ? undefined : localActor(of))
    if (id === undefined || (given !== undefined && of !== undefined))
      throw new UsageError('the id of a token, that of an actor, or --of is needed: one of them')
    if (!/^[\x21-\x7e]{1,200}$/.test(id)) throw new UsageError('an id has 1 to 200 printable characters without blanks')
    const commandId = randomUUID()
    const aggregates = await this.stores.aggregates()
    const envelope = { commandId, correlationId: commandId, actor: CLI_ACTOR, client: CLI_ACTOR }
    await aggregates.execute(
      access,
      'RevokeAccess',
      Object.assign(new RevokeAccess(), { id, reason: reason ?? null }),
      {
        ...envelope,
        key: REVOCATIONS,
        at: new Date().toISOString(),
        fresh: true,
      },
    )
    await write(`${id} is refused within a second, in every process\n`)
  }

  @Option({ flags: '--of <name>', description: 'of local tokens: whom they were made for' })
  parseOf(name: string): string {
    return name
  }

  @Option({ flags: '--reason <reason>', description: 'why; kept in the log' })
  parseReason(reason: string): string {
    if (reason.length > 1_000) throw new UsageError('--reason: at most 1000 characters are kept')
    return reason
  }
}
