// The life of an app: configuration, start, the ready line, and an orderly end.
import 'reflect-metadata'
import { type DynamicModule, type INestApplication } from '@nestjs/common'
import { DiscoveryModule, NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { Unavailable } from '@stet/eventsourcing'
import { type Logger } from 'pino'
import { RoleGuard } from './auth/guard'
import { CallerRate } from './auth/rate'
import { type Revocations } from './auth/revocations'
import { TokenVerifier } from './auth/verifier'
import { type Config, ConfigError, readConfig } from './config'
import { controllerRoutes, refuseUndeclared } from './http/access'
import { createHttpServer, type HttpServer } from './http/server'
import { Health } from './observability/health'
import { createLogger, nestLogger } from './observability/logging'
import { Metrics } from './observability/metrics'
import { OperationsController } from './observability/operations.controller'
import { ProblemFilter } from './problems/filter'
import { InputPipe } from './validation/pipe'

/** What every part of an app may use. */
export interface AppContext {
  readonly config: Config
  readonly logger: Logger
  readonly metrics: Metrics
  readonly health: Health
  readonly http: HttpServer
}

/** What an app is made of, once its stores are open. */
export interface App {
  /** Its HTTP: controllers and their providers; operations are added to it. */
  readonly modules: readonly DynamicModule[]
  /** What ends tokens before their time. */
  readonly revocations?: Revocations
  /** Called with the application before it listens: documentation and other routes that are no controllers. */
  readonly prepare?: (app: NestFastifyApplication) => void | Promise<void>
  /** Called with the address as soon as it listens. */
  readonly listening?: (url: string) => void
  /** Called once no request is in flight any more: flush and close everything. */
  readonly close: () => Promise<void>
}

export interface AppDefinition {
  readonly name: string
  readonly stores: 'embedded-or-remote' | 'remote'
  readonly open: (context: AppContext) => Promise<App>
}

/** Milliseconds: of the ten that are allowed, what remains belongs to flushing. */
const DRAIN = 6_000
const END = 9_500

/** Runs an app until SIGTERM or SIGINT: the whole main.ts of it. A start that fails prints one line and exits 1. */
export const runApp = async (definition: AppDefinition): Promise<void> => {
  let config: Config
  try {
    config = readConfig(process.env, definition)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  }
  const logger = createLogger(config.logLevel, definition.name)
  const metrics = new Metrics({ app: definition.name })
  const context = { config, logger, metrics, health: new Health(), http: createHttpServer(config, { logger, metrics }) }
  const fault = (error: unknown) => {
    logger.fatal({ err: error }, 'ends: a fault in the program')
    process.exit(1)
  }
  process.on('uncaughtException', fault)
  process.on('unhandledRejection', error => {
    // A store that went away while nobody was waiting for it breaks no state; the next one who asks is told.
    if (error instanceof Unavailable) logger.error(`nobody waited for: ${error.message}`)
    else fault(error)
  })
  const ending = new Ending(context)
  try {
    const app = await definition.open(context)
    ending.onEnd(() => app.close())
    const nest = await createApplication(app, context)
    const url = await listen(nest, context)
    ending.onDrain(() => nest.close())
    app.listening?.(url)
    await readiness(context, ending)
    if (!ending.begun) announce(url, logger)
  } catch (error) {
    if (ending.begun) return
    logger.debug({ err: error }, 'start failed')
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    await ending.giveUp()
  }
}

/** A Nest application on the context's server, not yet listening. */
export const createApplication = async (app: App, context: AppContext): Promise<NestFastifyApplication> => {
  const { config, logger, health, metrics, http } = context
  const operations: DynamicModule = {
    module: class Operations {},
    imports: [DiscoveryModule],
    controllers: [OperationsController],
    providers: [
      { provide: Health, useValue: health },
      { provide: Metrics, useValue: metrics },
    ],
  }
  const root: DynamicModule = { module: class Root {}, imports: [operations, ...app.modules] }
  const adapter = new FastifyAdapter(http.fastify)
  const nest = await NestFactory.create<NestFastifyApplication>(root, adapter, {
    logger: nestLogger(logger),
    bodyParser: false,
    abortOnError: false,
  })
  nest.useGlobalFilters(new ProblemFilter(http.routes))
  const tokens = await TokenVerifier.open(config, app.revocations)
  nest.useGlobalGuards(new RoleGuard(tokens, new CallerRate(config.rateLimit)))
  nest.useGlobalPipes(new InputPipe())
  await app.prepare?.(nest)
  refuseUndeclared(controllerRoutes(nest as INestApplication))
  return nest
}

const listen = async (nest: NestFastifyApplication, { config, http }: AppContext): Promise<string> => {
  await nest.init()
  try {
    // Not by Nest, which logs a failure that is told of here.
    await http.fastify.listen({ port: config.port, host: config.host })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE' || code === 'EACCES')
      throw new ConfigError(`PORT ${config.port} cannot be listened on (${code}): choose another one, or 0 for any`)
    throw new ConfigError(`HOST ${JSON.stringify(config.host)} cannot be listened on: ${(error as Error).message}`)
  }
  const address = nest.getHttpServer().address()
  const port = typeof address === 'object' && address ? address.port : config.port
  return `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`
}

/** Waits until every check holds: an app that is listening and behind is not ready. */
const readiness = async ({ health, logger }: AppContext, ending: Ending): Promise<void> => {
  let told = Date.now()
  while (!ending.begun) {
    const { status, checks } = await health.ready()
    if (status === 'ok') return
    if (Date.now() - told > 10_000) {
      told = Date.now()
      logger.warn({ checks }, 'not ready yet')
    }
    await new Promise(resolve => setTimeout(resolve, 25))
  }
}

/** Scripts wait for this line, so no log level hides it. */
const announce = (url: string, logger: Logger): void => {
  const line = `Stet is ready at ${url}`
  if (process.stdout.isTTY) process.stdout.write(`${line}\n`)
  else logger.child({}, { level: 'info' }).info(line)
}

/** The way out: stop taking requests, finish those in flight, flush, exit 0. */
class Ending {
  begun = false
  #drain: (() => Promise<void>) | null = null
  #end: (() => Promise<void>) | null = null

  constructor(private readonly context: AppContext) {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void this.#begin(signal))
  }

  onDrain(drain: () => Promise<void>): void {
    this.#drain = drain
  }

  onEnd(end: () => Promise<void>): void {
    this.#end = end
  }

  /** After a start that failed: closes what was opened for it, and exits 1. */
  async giveUp(): Promise<void> {
    this.begun = true
    setTimeout(() => process.exit(1), END).unref()
    await this.#finish(1)
  }

  async #begin(signal: string): Promise<void> {
    // A second signal is somebody who does not want to wait.
    if (this.begun) process.exit(1)
    this.begun = true
    const { health, logger, http } = this.context
    logger.info(`${signal}: ending`)
    health.drain()
    // While it still opens its stores (or waits for one that is not there) nothing is in flight and nothing is kept.
    if (!this.#end) process.exit(0)
    setTimeout(() => {
      logger.error('did not end in time')
      process.exit(1)
    }, END).unref()
    const cut = setTimeout(() => http.fastify.server.closeAllConnections(), DRAIN)
    const idle = setInterval(() => http.fastify.server.closeIdleConnections(), 100)
    await this.#drain?.().catch((error: unknown) => logger.error({ err: error }, 'draining failed'))
    clearTimeout(cut)
    clearInterval(idle)
    await this.#finish(0)
  }

  async #finish(code: 0 | 1): Promise<void> {
    const { logger } = this.context
    try {
      await this.#end?.()
      process.exit(code)
    } catch (error) {
      logger.error({ err: error }, 'closing failed')
      process.exit(1)
    }
  }
}
