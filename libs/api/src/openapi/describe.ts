// What a route is called, and what the OpenAPI document says of it beside its path and its body, which it finds by itself.
import { applyDecorators, SetMetadata } from '@nestjs/common'
import { type TSchema } from '@sinclair/typebox'
import { Roles } from '@stet/platform'
import { rolesOf } from '../access'

export interface Description {
  /** operationId: unique, what clients' methods are called, and the row of the table of roles (access.ts). */
  readonly id: string
  readonly summary: string
  /** Schema of the answer, null for none. */
  readonly answer: TSchema | null
  /** Status of success; 200 when absent. */
  readonly status?: 200 | 201 | 204
  /** Content is replaced: If-Match is needed. */
  readonly ifMatch?: 'required'
  /** `Prefer: merge` keeps what others did since to other fields. */
  readonly merges?: boolean
  /** Made of other commands, which have conditions and keys of their own. */
  readonly composed?: boolean
  /** The answer has an ETag, and If-None-Match is answered by 304. */
  readonly etag?: boolean
  /** Takes `?position=`. */
  readonly waits?: boolean
  /** The answer is one JSON value a line. */
  readonly ndjson?: boolean
  /** The body is JSON of a form that is not ours. */
  readonly anyBody?: boolean
  /** The body may come as text/plain. */
  readonly acceptsText?: boolean
}

export const DESCRIPTION = 'stet:description'

/** Describes a route, and lets in the roles that the table has for it; one that is not in the table says so itself. */
export const Describe = (description: Description): ClassDecorator & MethodDecorator => {
  const roles = rolesOf(description.id)
  return applyDecorators(SetMetadata(DESCRIPTION, description), ...(roles ? [Roles(...roles)] : []))
}
