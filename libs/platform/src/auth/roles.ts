// Who may call a route. Every route declares it: one that does not is refused, and stops the start.
import { SetMetadata } from '@nestjs/common'

export const ROLES = ['reporter', 'editor', 'chief', 'service', 'analyst', 'operator'] as const
export type Role = (typeof ROLES)[number]

export type Access =
  | { readonly kind: 'open' }
  | { readonly kind: 'roles'; readonly roles: readonly Role[] }
  /** Open to callers on this machine, else for operators. */
  | { readonly kind: 'operations' }

export const ACCESS = 'stet:access'
const access = (value: Access) => SetMetadata(ACCESS, value)

/** Only with a bearer token of one of these roles. */
export const Roles = (...roles: readonly [Role, ...Role[]]) => access({ kind: 'roles', roles })
/** Without any token. */
export const Open = () => access({ kind: 'open' })
/** Without a token from loopback, with an operator's from elsewhere. */
export const Operations = () => access({ kind: 'operations' })

/** Who calls: from the token, never from the body. */
export interface Caller {
  /** Opaque subject id: the actor of events. */
  readonly actor: string
  readonly roles: readonly Role[]
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the guard on routes that need a token. */
    caller: Caller | null
  }
}
