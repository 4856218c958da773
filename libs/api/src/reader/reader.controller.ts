// What readers ask for. Open to everybody.
import { Controller, Get } from '@nestjs/common'
import {
  CardsAnswer,
  GetArticlePage,
  GetLatest,
  GetList,
  GetLists,
  GetPopular,
  GetRelated,
  ListAnswer,
  ListsAnswer,
  pageParts,
  PageAnswer,
  popularOnPage,
  PopularAnswer,
  RelatedAnswer,
} from '@stet/newsroom'
import { Open, Question } from '@stet/platform'
import { type Exchange, WithExchange } from '../editorial/address'
import { Describe } from '../openapi/describe'
import { type SharedEnding } from './kept'
import { Reads } from './reads'

type Bytes = Promise<Buffer | undefined>

@Controller('reader/v1')
@Open()
export class ReaderController {
  /** What is popular is the same on all pages, and moves while they stand still. */
  private readonly popularOnPages: SharedEnding

  constructor(private readonly reads: Reads) {
    this.popularOnPages = reads.ending<PopularAnswer>(popularOnPage, answer => ({
      value: answer.items,
      keys: articles(answer),
    }))
  }

  @Get('articles')
  @Describe({ id: 'listArticles', summary: 'Latest articles', answer: CardsAnswer, etag: true, waits: true })
  latest(@Question() query: GetLatest, @WithExchange() exchange: Exchange): Bytes {
    return this.reads.answer<CardsAnswer>(query, exchange, { cache: 'list', shows: articles })
  }

  @Get('articles/:idOrSlug')
  @Describe({ id: 'getArticle', summary: 'A page by id or slug', answer: PageAnswer, etag: true, waits: true })
  page(@Question() query: GetArticlePage, @WithExchange() exchange: Exchange): Bytes {
    const { own, popular } = pageParts(query)
    return this.reads.answer<PageAnswer>(query, exchange, {
      ...(popular && { parts: { own, member: 'popular', ending: this.popularOnPages } }),
      cache: 'article',
      shows: ({ article, related = [], popular = [] }) => [article, ...related, ...popular].map(keyOf),
    })
  }

  @Get('articles/:idOrSlug/related')
  @Describe({ id: 'listRelated', summary: 'Related articles', answer: RelatedAnswer, etag: true, waits: true })
  related(@Question() query: GetRelated, @WithExchange() exchange: Exchange): Bytes {
    return this.reads.answer<RelatedAnswer>(query, exchange, { cache: 'article', shows: articles })
  }

  @Get('popular')
  @Describe({ id: 'listPopular', summary: 'What is read most', answer: PopularAnswer, etag: true, waits: true })
  popular(@Question() query: GetPopular, @WithExchange() exchange: Exchange): Bytes {
    return this.reads.answer<PopularAnswer>(query, exchange, { cache: 'popular', shows: articles, fades: true })
  }

  @Get('lists')
  @Describe({ id: 'listLists', summary: 'Curated lists', answer: ListsAnswer, etag: true, waits: true })
  lists(@Question() query: GetLists, @WithExchange() exchange: Exchange): Bytes {
    return this.reads.answer<ListsAnswer>(query, exchange, {
      cache: 'list',
      shows: ({ items }) => items.map(({ list }) => `list:${list}`),
    })
  }

  @Get('lists/:list')
  @Describe({ id: 'getList', summary: 'A curated list', answer: ListAnswer, etag: true, waits: true })
  list(@Question() query: GetList, @WithExchange() exchange: Exchange): Bytes {
    return this.reads.answer<ListAnswer>(query, exchange, {
      cache: 'list',
      shows: answer => [`list:${answer.list}`, ...articles(answer)],
    })
  }
}

const keyOf = ({ id }: { readonly id: string }): string => `article:${id}`
const articles = ({ items }: { readonly items: readonly { readonly id: string }[] }): string[] => items.map(keyOf)
