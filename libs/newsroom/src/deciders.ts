// Every consistency boundary of the newsroom: the command handlers are generated from these.
import { type AnyDecider } from '@stet/eventsourcing'
import { articleOf } from './article/article'
import { type Policy } from './article/policy'
import { desk } from './desk/desk'
import { curatedList } from './lists/lists'
import { slug } from './slugs/slug'

/** The deciders of a newsroom with this policy. */
export const decidersOf = (policy: Policy): readonly AnyDecider[] => [articleOf(policy), desk, curatedList, slug]
