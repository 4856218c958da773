// The stream of an address: reserved by the article that is published under it, released when that one has yielded it.
import { decider } from '@stet/eventsourcing'
import { IsInt, Min } from 'class-validator'
import { IsId } from '../validation'
import { type SlugEvents } from './events'

/** Frees an address that its article has yielded. Internal: follows the article's own command. */
export class ReleaseSlug {
  @IsId() articleId!: string
  /** Revision at which the article yielded it: what it reserved after that stays. */
  @IsInt() @Min(0) yieldedAt!: number
}

export interface Slug {
  /** Whose it is, null: anybody may have it. */
  readonly holder: SlugEvents['SlugReserved'] | null
}

export const slug = decider<Slug, SlugEvents>()({
  category: 'slug',
  commands: { ReleaseSlug },
  initial: { holder: null },
  decide: {
    ReleaseSlug({ articleId, yieldedAt }, { holder }) {
      const id = articleId.toLowerCase()
      return holder?.articleId === id && (holder.since ?? -1) < yieldedAt
        ? [{ type: 'SlugReleased', data: { articleId: id } }]
        : []
    },
  },
  evolve: {
    SlugReserved: (_, { data }) => ({ holder: data }),
    SlugReleased: () => ({ holder: null }),
  },
})
