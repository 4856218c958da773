// Everything the command line is made of. Stores are opened by the first command that needs them.
import { Module } from '@nestjs/common'
import { CqrsModule } from '@nestjs/cqrs'
import { AGGREGATES, type Aggregates, commandHandlers } from '@stet/eventsourcing'
import { decidersOf, DEFAULT_POLICY } from '@stet/newsroom'
import { readConfig } from '@stet/platform'
import { BackupCommand } from './commands/backup.command'
import { DemoCommand } from './commands/demo.command'
import { ImportCommand } from './commands/import.command'
import { ProjectionsCommand } from './commands/projections.command'
import { RebuildCommand } from './commands/rebuild.command'
import { ReplayCommand } from './commands/replay.command'
import { RevokeCommand } from './commands/revoke.command'
import { ScavengeCommand } from './commands/scavenge.command'
import { TokenCommand } from './commands/token.command'
import { Newsroom } from './newsroom'
import { CONFIG, Stores } from './stores'

/** The command handlers are generated for a ready Aggregates; here it is opened by the first command that is sent. */
const openedLater = (stores: Stores): Pick<Aggregates, 'execute'> => ({
  execute: async (...command) => (await stores.aggregates()).execute(...command),
})

@Module({
  imports: [CqrsModule.forRoot()],
  providers: [
    { provide: CONFIG, useFactory: () => readConfig(process.env, { stores: 'embedded-or-remote' }) },
    Stores,
    Newsroom,
    { provide: AGGREGATES, useFactory: openedLater, inject: [Stores] },
    ...commandHandlers(decidersOf(DEFAULT_POLICY)),
    ...[ImportCommand, DemoCommand, ReplayCommand, ProjectionsCommand, RebuildCommand, BackupCommand],
    ...[ScavengeCommand, TokenCommand, RevokeCommand],
  ],
})
export class CliModule {}
