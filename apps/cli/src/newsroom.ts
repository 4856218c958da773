// The way of a command from the command line into the log: the same CommandBus as the API's.
import { Injectable } from '@nestjs/common'
import { CommandBus } from '@nestjs/cqrs'
import { addressed, type CommandOutcome } from '@stet/eventsourcing'
import { randomUUID } from 'node:crypto'
import { Stores } from './stores'

/** Opaque subject id of the command line: the actor of what it records, and the program through which. */
export const CLI_ACTOR = 'stet-cli'

@Injectable()
export class Newsroom {
  constructor(
    private readonly commands: CommandBus,
    private readonly stores: Stores,
  ) {}

  /**
   * Sends a command to the stream of `key`; with a command id of its own a repeat has no second effect.
   * @throws whatever the domain refuses it for, and Unavailable
   */
  async send(key: string, command: object, commandId: string = randomUUID()): Promise<CommandOutcome> {
    // A command is accepted when its log is open, not when the command line was started.
    await this.stores.aggregates()
    const envelope = {
      key,
      commandId,
      actor: CLI_ACTOR,
      client: CLI_ACTOR,
      at: new Date().toISOString(),
      correlationId: commandId,
    }
    return this.commands.execute(addressed(command, envelope))
  }
}
