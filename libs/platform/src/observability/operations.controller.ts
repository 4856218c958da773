// What operators and their machines ask of every app: is it alive, is it ready, what does it measure, what is a problem.
import { Controller, Get, Header, Param, Res } from '@nestjs/common'
import { NotFound } from '@stet/eventsourcing'
import { type FastifyReply } from 'fastify'
import { Open, Operations } from '../auth/roles'
import { PROBLEMS } from '../problems/problem'
import { Health, type HealthAnswer } from './health'
import { Metrics } from './metrics'

@Controller()
export class OperationsController {
  constructor(
    private readonly health: Health,
    private readonly metrics: Metrics,
  ) {}

  @Get('health/live')
  @Operations()
  @Header('cache-control', 'no-store')
  live(): HealthAnswer {
    return { status: 'ok', checks: {} }
  }

  @Get('health/ready')
  @Operations()
  @Header('cache-control', 'no-store')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthAnswer> {
    const answer = await this.health.ready()
    void reply.code(answer.status === 'ok' ? 200 : 503)
    return answer
  }

  @Get('metrics')
  @Operations()
  @Header('cache-control', 'no-store')
  async scrape(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    void reply.type(this.metrics.registry.contentType)
    return this.metrics.registry.metrics()
  }

  @Get('problems/:name')
  @Open()
  problem(@Param('name') name: string) {
    if (!Object.hasOwn(PROBLEMS, name)) throw new NotFound(`there is no problem ${name}`)
    return { type: `/problems/${name}`, ...PROBLEMS[name as keyof typeof PROBLEMS] }
  }
}
