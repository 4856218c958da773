// Who may call a route. Every route declares it once: one that does not is refused, and stops the start.
import { SetMetadata } from '@nestjs/common'

export const ROLES = ['reporter', 'editor', 'chief', 'service', 'analyst', 'operator'] as const
export type Role = (typeof ROLES)[number]
export type SomeRoles = readonly [Role, ...Role[]]

export type Access =
  | { readonly kind: 'open' }
  | { readonly kind: 'roles'; readonly roles: readonly Role[] }
  /** Open to callers on this machine, else for operators. */
  | { readonly kind: 'operations' }

export const ACCESS = 'stet:access'

/** @throws Error when the class or method says twice who may call it: nobody could tell which one holds */
const access =
  (value: Access): ClassDecorator & MethodDecorator =>
  (target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => {
    const declared = descriptor ? (descriptor.value as object) : target
    if (Reflect.hasOwnMetadata(ACCESS, declared))
      throw new Error(`${nameOf(target, key)} says twice who may call it: leave one of them out`)
    const set: ClassDecorator & MethodDecorator = SetMetadata(ACCESS, value)
    if (descriptor) set(target, key as string, descriptor)
    else set(target as new () => object)
  }

const nameOf = (target: object, key: string | symbol | undefined): string =>
  key === undefined ? (target as { readonly name: string }).name : `${target.constructor.name}.${String(key)}`

/** Only with a bearer token of one of these roles. */
export const Roles = (...roles: SomeRoles) => access({ kind: 'roles', roles })
/** Without any token. */
export const Open = () => access({ kind: 'open' })
/** Without a token from loopback, with an operator's from elsewhere. */
export const Operations = () => access({ kind: 'operations' })

/** Who calls: from the token, never from the body. */
export interface Caller {
  /** Opaque subject id: the actor of events. */
  readonly actor: string
  /** The program through which: the token's client_id. */
  readonly client: string
  /** Of a request: those of the token that the route is for. */
  readonly roles: readonly Role[]
  /** Slugs of the sections and desks that a reporter is limited to; null: not limited. */
  readonly sections: readonly string[] | null
  readonly desks: readonly string[] | null
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the guard on routes that need a token. */
    caller: Caller | null
  }
}
