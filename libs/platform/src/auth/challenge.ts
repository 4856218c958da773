// The answers of RFC 6750 to whoever may not: 401 and 403 with their challenge.
import { Problem } from '../problems/problem'
import { type Caller, type Role } from './roles'

/** The challenge's header; descriptions are our own words, without quotes or backslashes. */
const challenge = (error?: 'invalid_token' | 'insufficient_scope', description?: string, scope?: readonly Role[]) => ({
  headers: {
    'www-authenticate': [
      'Bearer realm="stet"',
      ...(error ? [`error="${error}"`] : []),
      ...(description ? [`error_description="${description}"`] : []),
      ...(scope ? [`scope="${scope.join(' ')}"`] : []),
    ].join(', '),
  },
})

/** Nothing that could be a token was sent: the challenge names no error. */
export const tokenNeeded = (detail: string): Problem => new Problem('unauthenticated', detail, challenge())

/** A token was sent that is not, or no longer, accepted. */
export const tokenRefused = (detail: string): Problem =>
  new Problem('unauthenticated', detail, challenge('invalid_token', detail))

/** The token is good and does not suffice for what it is to be used for. */
export const notAllowed = (detail: string): Problem =>
  new Problem('forbidden', detail, challenge('insufficient_scope', 'The token does not reach that far.'))

/**
 * The caller with those of its roles that are asked for.
 * @throws Problem 403 when there are none
 */
export const admitted = (caller: Caller, roles: readonly Role[]): Caller => {
  const held = caller.roles.filter(role => roles.includes(role))
  if (held.length > 0) return { ...caller, roles: held }
  throw new Problem('forbidden', `This needs the role ${roles.join(' or ')}.`, {
    ...challenge('insufficient_scope', 'The role of the token does not suffice.', roles),
  })
}
