// Refuses every request whose caller the route does not name, and every route that names nobody.
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common'
import { Reflector } from '@nestjs/core'
import { type FastifyRequest } from 'fastify'
import { Problem } from '../problems/problem'
import { admitted } from './challenge'
import { type CallerRate } from './rate'
import { ACCESS, type Access, type Role } from './roles'
import { TokenVerifier } from './verifier'

@Injectable()
export class RoleGuard implements CanActivate {
  readonly #reflector = new Reflector()

  constructor(
    private readonly tokens: TokenVerifier,
    private readonly rate: CallerRate,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const access = this.#reflector.getAllAndOverride<Access | undefined>(ACCESS, [
      context.getHandler(),
      context.getClass(),
    ])
    if (!access) throw new Problem('forbidden', 'This route is for nobody.')
    if (access.kind === 'open') return true
    const request = context.switchToHttp().getRequest<FastifyRequest>()
    if (access.kind === 'roles') return this.admit(request, access.roles, 'current', caller => this.count(caller))
    // What operators look at is there for when a store is not.
    return isLocal(request) || this.admit(request, ['operator'], 'last-known', () => undefined)
  }

  /** `count` is told who comes: the token's actor, wherever from, or the address of one without a valid token. */
  private async admit(
    request: FastifyRequest,
    roles: readonly Role[],
    revocations: 'current' | 'last-known',
    count: (caller: string) => void,
  ): Promise<boolean> {
    const caller = await this.tokens.callerOf(request.headers.authorization, revocations).catch((error: unknown) => {
      if (error instanceof Problem && error.problem === 'unauthenticated') count(`address ${request.ip}`)
      throw error
    })
    count(`actor ${caller.actor}`)
    request.caller = admitted(caller, roles)
    return true
  }

  private count(caller: string): void {
    const wait = this.rate.take(caller, performance.now())
    if (wait > 0) throw new Problem('too-many-requests', undefined, { headers: { 'retry-after': String(wait) } })
  }
}

// Behind a proxy on this machine everybody comes from loopback: whoever was forwarded is not local unless the proxy is
// trusted to say so.
const isLocal = ({ ip, headers, socket }: FastifyRequest): boolean =>
  LOOPBACK.test(ip) &&
  LOOPBACK.test(socket.remoteAddress ?? '') &&
  headers['x-forwarded-for'] === undefined &&
  headers.forwarded === undefined

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/
