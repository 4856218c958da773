// Logs: JSON lines of pino, or readable lines on a terminal. Nest logs through the same.
import { type LoggerService } from '@nestjs/common'
import { type Logger, pino } from 'pino'
import pretty from 'pino-pretty'
import { type LogLevel } from '../config'

/** Tokens never reach a log: requests are logged without their headers. */
export const createLogger = (level: LogLevel, name: string): Logger => {
  const options = { level, base: { app: name }, timestamp: pino.stdTimeFunctions.isoTime } as const
  if (process.stdout.isTTY)
    return pino(options, pretty({ sync: true, colorize: true, ignore: 'app', translateTime: 'HH:MM:ss' }))
  return pino({ ...options, formatters: { level: label => ({ level: label }) } })
}

/** Nest's own messages: what it logs while it starts is detail. */
export const nestLogger = (logger: Logger): LoggerService => ({
  log: message => logger.debug(textOf(message)),
  debug: message => logger.debug(textOf(message)),
  verbose: message => logger.trace(textOf(message)),
  warn: message => logger.warn(textOf(message)),
  error: (message, ...more: unknown[]) => logger.error({ detail: more.map(textOf) }, textOf(message)),
  fatal: message => logger.fatal(textOf(message)),
})

const textOf = (message: unknown): string =>
  typeof message === 'string'
    ? message
    : message instanceof Error
      ? (message.stack ?? message.message)
      : String(message)
