// The HTTP server under Nest: limits, time-outs, body parsers, headers, access log and measurements.
import { createServer, type Server } from 'node:http'
import { type Socket } from 'node:net'
import {
  fastify,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import { type Logger } from 'pino'
import { type Config } from '../config'
import { type Metrics } from '../observability/metrics'
import { problemOf } from '../problems/from-error'
import { bodyOf, Problem, PROBLEM_TYPE, type ProblemName, PROBLEMS } from '../problems/problem'
import { parseJson } from '../validation/json'
import { CORRELATION_HEADER, correlationOf, newCorrelationId } from './correlation'
import { Cors, SECURITY_HEADERS } from './headers'
import { HotAnswers } from './hot-answers'
import { RouteTable } from './route-table'

export const MAX_BODY = 1024 * 1024
export const MAX_HEADERS = 16 * 1024

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route takes JSON as text/plain, which is what navigator.sendBeacon can send without a preflight. */
    acceptsText?: boolean
  }
}

export interface HttpServer {
  readonly fastify: FastifyInstance
  readonly hot: HotAnswers
  readonly routes: RouteTable
}

export const createHttpServer = (
  config: Pick<Config, 'corsOrigins' | 'trustProxy'>,
  { logger, metrics }: { readonly logger: Logger; readonly metrics: Metrics },
): HttpServer => {
  const cors = new Cors(config.corsOrigins)
  const hot = new HotAnswers((url, origin) => cors.allowed(url, origin))
  const routes = new RouteTable()
  const instance: FastifyInstance = fastify({
    loggerInstance: logger as unknown as FastifyBaseLogger,
    genReqId: request => newCorrelationId(request.headers),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'correlationId' }),
    bodyLimit: MAX_BODY,
    trustProxy: config.trustProxy,
    routerOptions: { maxParamLength: 300, ignoreTrailingSlash: false },
    return503OnClosing: false,
    serverFactory: handler =>
      listener((request, response) => hot.serve(request, response) || handler(request, response)),
    clientErrorHandler: refuseConnection,
    // Errors of the router come before any hook: a path that is no UTF-8, a parameter that is too long.
    frameworkErrors: (error, request, reply) => refuse(request, reply as unknown as FastifyReply, problemOf(error)),
  })
  instance.decorateRequest('caller', null)
  instance.addHook('onRoute', ({ method, path }) => routes.add(method, path))
  let mayWarn = config.trustProxy === false
  instance.addHook('onRequest', (request, reply, done) => {
    if (mayWarn && request.headers['x-forwarded-for'] !== undefined) {
      mayWarn = false
      logger.warn(
        'a request came with X-Forwarded-For and TRUST_PROXY is off: everybody behind that proxy has one address, so most ' +
          'of their views are not counted; set TRUST_PROXY to the addresses or subnets of your proxies',
      )
    }
    void reply.headers(SECURITY_HEADERS).header(CORRELATION_HEADER, correlationOf(request))
    if (!cors.answer(request, reply)) done()
  })
  instance.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none'
    metrics.requests(request.method, route, reply.statusCode).observe(reply.elapsedTime / 1_000)
    logAccess(request, reply.statusCode, reply.elapsedTime)
    done()
  })
  addParsers(instance)
  return { fastify: instance, hot, routes }
}

const listener = (handle: Parameters<typeof createServer>[1] & object): Server => {
  const server = createServer({ maxHeaderSize: MAX_HEADERS, connectionsCheckingInterval: 2_000 }, handle)
  // A slow sender holds a connection, not a thread; it is still cut before it can hold many.
  server.headersTimeout = 10_000
  server.requestTimeout = 30_000
  // Longer than what load balancers keep idle connections for, so that they close first.
  server.keepAliveTimeout = 75_000
  return server
}

const addParsers = (instance: FastifyInstance): void => {
  const parse = (body: Buffer): unknown => (body.length === 0 ? undefined : parseJson(body))
  instance.removeAllContentTypeParsers()
  instance.addContentTypeParser<Buffer>(
    /^application\/(?:[\w.-]+\+)?json(?:\s*;|\s*$)/i,
    { parseAs: 'buffer' },
    (_request, body, done) => settle(() => parse(body), done),
  )
  instance.addContentTypeParser<Buffer>(/^text\/plain(?:\s*;|\s*$)/i, { parseAs: 'buffer' }, (request, body, done) =>
    settle(() => {
      if (!request.routeOptions.config.acceptsText) throw new Problem('unsupported-media-type')
      return parse(body)
    }, done),
  )
}

const refuse = (request: FastifyRequest, reply: FastifyReply, problem: Problem): void => {
  void reply
    .code(problem.status)
    .headers({ ...SECURITY_HEADERS, 'content-type': PROBLEM_TYPE, [CORRELATION_HEADER]: correlationOf(request) })
    .send(JSON.stringify(bodyOf(problem, correlationOf(request))))
}

const settle = (parse: () => unknown, done: (error: Error | null, body?: unknown) => void): void => {
  let body: unknown
  try {
    body = parse()
  } catch (error) {
    done(error as Error)
    return
  }
  done(null, body)
}

/** Reads are many and alike: they are detail. What was changed or failed is not. */
const logAccess = (request: FastifyRequest, status: number, milliseconds: number): void => {
  const level = status >= 500 ? 'warn' : request.method === 'GET' || request.method === 'HEAD' ? 'debug' : 'info'
  const { log } = request
  if (isBelow(level, log.level)) return
  log[level](
    {
      method: request.method,
      path: request.url.split('?', 1)[0],
      status,
      ms: Math.round(milliseconds * 10) / 10,
      ...(request.caller && { actor: request.caller.actor }),
    },
    'request',
  )
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']
const isBelow = (level: string, least: string): boolean => LEVELS.indexOf(level) < LEVELS.indexOf(least)

/** What is no HTTP request never reaches a hook: answered on the bare socket. */
const refuseConnection = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const name: ProblemName =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 'headers-too-large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 'request-timeout'
        : 'malformed'
  const body = JSON.stringify(bodyOf(new Problem(name)))
  if (socket.writable)
    socket.write(
      `HTTP/1.1 ${PROBLEMS[name].status} ${PROBLEMS[name].title}\r\nContent-Type: ${PROBLEM_TYPE}\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    )
  socket.destroySoon()
}
