// The one place where an error becomes an answer.
import { type ArgumentsHost, Catch, type ExceptionFilter, Injectable, NotFoundException } from '@nestjs/common'
import { type FastifyReply, type FastifyRequest } from 'fastify'
import { correlationOf } from '../http/correlation'
import { type RouteTable } from '../http/route-table'
import { problemOf } from './from-error'
import { bodyOf, Problem, PROBLEM_TYPE } from './problem'

@Injectable()
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly routes: RouteTable) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp()
    const request = http.getRequest<FastifyRequest>()
    const reply = http.getResponse<FastifyReply>()
    // Nest throws NotFoundException for paths without a route; the code above it throws NotFound.
    const problem = error instanceof NotFoundException ? this.unrouted(request) : problemOf(error)
    if (problem.status === 500) request.log.error({ err: error }, 'request failed')
    else if (problem.status === 503) request.log.warn(`request refused: ${problem.detail ?? problem.problem}`)
    if (reply.sent || reply.raw.headersSent) {
      // Half an answer is on its way: cutting it is the only honest signal left.
      reply.raw.destroy()
      return
    }
    send(request, reply, problem)
  }

  private unrouted(request: FastifyRequest): Problem {
    const allowed = this.routes.methodsAt(request.url)
    return allowed.length > 0 && !allowed.includes(request.method)
      ? new Problem('method-not-allowed', undefined, { headers: { allow: allowed.join(', ') } })
      : new Problem('not-found', 'There is no such path: /docs shows those that there are.')
  }
}

const send = (request: FastifyRequest, reply: FastifyReply, problem: Problem): void => {
  const { location, ...headers } = problem.more.headers ?? {}
  void reply
    .code(problem.status)
    .headers({
      'cache-control': 'no-store',
      ...headers,
      // What was asked for beside the path is asked for there too.
      ...(location !== undefined && { location: location + (/\?.*$/s.exec(request.url)?.[0] ?? '') }),
      'content-type': PROBLEM_TYPE,
    })
    .send(JSON.stringify(bodyOf(problem, correlationOf(request))))
}
