// Every consistency boundary of the newsroom: the command handlers are generated from these.
import { type AnyDecider } from '@stet/eventsourcing'
import { article } from './article/article'
import { curatedList } from './lists/lists'

export const deciders: readonly AnyDecider[] = [article, curatedList]
