// Nest's door for what comes in: every body and every question is an instance of its class before a route sees it.
import {
  type ArgumentMetadata,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  type PipeTransform,
} from '@nestjs/common'
import { type FastifyRequest } from 'fastify'
import { type Parameters, validatedQuery } from './question'
import { type Class, validated } from './validated'

const QUESTION = 'question'

/**
 * Path parameters and query string of a GET together, as the class of the argument says. `position` is not part of the
 * question but of how it is answered: see `awaitedPosition`.
 */
export const Question = () => questionOf(QUESTION)

const questionOf = createParamDecorator((_: string, context: ExecutionContext): Parameters => {
  const request = context.switchToHttp().getRequest<FastifyRequest>()
  const { position: _position, ...query } = request.query as Record<string, unknown>
  return { ...query, ...(request.params as Record<string, unknown>) }
})

@Injectable()
export class InputPipe implements PipeTransform {
  transform(value: unknown, { type, metatype, data }: ArgumentMetadata): unknown {
    if (type === 'body' && isClass(metatype)) return validated(metatype, value)
    if (type === 'query' && isClass(metatype)) return validatedQuery(metatype, value as Parameters)
    if (type === 'custom' && data === QUESTION) return validatedQuery(metatype as Class<object>, value as Parameters)
    return value
  }
}

/** `unknown` and interfaces are Object at run time: such a body is the route's own to read. */
const isClass = (metatype: unknown): metatype is Class<object> =>
  typeof metatype === 'function' && metatype !== Object && metatype !== String && metatype !== Array
