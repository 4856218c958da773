// Sends a command over the CommandBus and tells the caller what became of it.
import { Injectable } from '@nestjs/common'
import { CommandBus } from '@nestjs/cqrs'
import { addressed, type CommandOutcome, StaleRevision } from '@stet/eventsourcing'
import { etagOf, problemOf } from '@stet/platform'
import { type CommandAnswer } from '../answers'
import { type Address, MERGE } from './address'
import { Revisions } from './revisions'

@Injectable()
export class Commands {
  constructor(
    private readonly bus: CommandBus,
    private readonly revisions: Revisions,
  ) {}

  /** Answers with the outcome; its revision is the ETag, and a repeat says so in `Idempotent-Replayed`. */
  async send(command: object, address: Address): Promise<CommandAnswer> {
    const { reply } = address
    const { id, revision, position, replayed, merged } = await this.#execute(command, address)
    void reply.header('cache-control', 'no-store')
    if (revision >= 0) void reply.header('etag', etagOf(revision))
    if (replayed) void reply.header('idempotent-replayed', 'true')
    if (merged) void reply.header('preference-applied', MERGE)
    return { id, revision, position }
  }

  /** As `send`, for a command that creates what is found at `path` from then on. */
  async create(command: object, address: Address, path: (id: string) => string): Promise<CommandAnswer> {
    const answer = await this.send(command, address)
    void address.reply.header('location', path(answer.id))
    return answer
  }

  /** Sends what a command entails for another stream, in the same name. */
  async follow(command: object, { envelope }: Address, key: string): Promise<void> {
    const { actor, at, correlationId, commandId } = envelope
    await this.bus.execute(addressed(command, { key, actor, at, correlationId, commandId, causationId: commandId }))
  }

  /** A refusal for a stale revision tells what changed since, so that a tool can merge. */
  async #execute(command: object, { category, envelope }: Address): Promise<CommandOutcome> {
    try {
      return await this.bus.execute<object, CommandOutcome>(addressed(command, envelope))
    } catch (error) {
      if (!(error instanceof StaleRevision)) throw error
      const changes = await this.revisions.changesSince(category, envelope.key, error)
      throw problemOf(error).with({ changes })
    }
  }
}
