// `stet`, the command line of analysts and operators.
import 'reflect-metadata'
import { CommandFactory } from 'nest-commander'
import { CliModule } from './cli.module'
import { failureLine } from './output'

// What usage and help call the program, however it was started.
process.argv[1] = 'stet'

const fail = (error: unknown): void => {
  process.stderr.write(`stet: ${failureLine(error)}\n`)
  process.exitCode = 1
}

// A client library's stray rejection is no reason to show a stack to the person at the keyboard.
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (error: unknown) => {
    fail(error)
    process.exit()
  })

// `stet replay | head` closes our output early: that is an end, not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') fail(error)
  process.exit()
})

// A command that fails says so in one line; what it opened is closed all the same.
CommandFactory.run(CliModule, { logger: false, cliName: 'stet', abortOnError: false, serviceErrorHandler: fail }).then(
  // A client library may keep a timer alive; nothing of ours is left to do.
  () => process.exit(),
  error => {
    fail(error)
    process.exit()
  },
)
