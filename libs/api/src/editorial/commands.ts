// Sends a command over the CommandBus and tells the caller what became of it.
import { Injectable } from '@nestjs/common'
import { CommandBus } from '@nestjs/cqrs'
import { addressed, type CommandOutcome } from '@stet/eventsourcing'
import { etagOf } from '@stet/platform'
import { type CommandAnswer } from '../answers'
import { type Address } from './address'

@Injectable()
export class Commands {
  constructor(private readonly bus: CommandBus) {}

  /** Answers with the outcome; its revision is the ETag, and a repeat says so in `Idempotent-Replayed`. */
  async send(command: object, { envelope, reply }: Address): Promise<CommandAnswer> {
    const { id, revision, position, replayed } = await this.bus.execute<object, CommandOutcome>(
      addressed(command, envelope),
    )
    void reply.header('cache-control', 'no-store')
    if (revision >= 0) void reply.header('etag', etagOf(revision))
    if (replayed) void reply.header('idempotent-replayed', 'true')
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
}
