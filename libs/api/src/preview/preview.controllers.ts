// An article before it is published: for editors, and behind a link for whoever they give it to.
import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common'
import { IsNonBlank, PageAnswer } from '@stet/newsroom'
import { Open, Question } from '@stet/platform'
import { IsInt, IsOptional, Max, Min } from 'class-validator'
import { PreviewLinkAnswer } from '../answers'
import { ArticleId, type Exchange, WithExchange } from '../editorial/address'
import { Describe } from '../openapi/describe'
import { Previews } from './previews'

/** A link to an article's preview. */
export class CreatePreviewLink {
  /** Minutes that it lasts; a day when absent, a week at most. */
  @IsOptional() @IsInt() @Min(1) @Max(10_080) minutes?: number | null
}

@Controller('editorial/v1/articles')
export class EditorsPreviewController {
  constructor(private readonly previews: Previews) {}

  @Get(':id/preview')
  @Describe({ id: 'previewArticle', summary: 'The page that publishing now would show', answer: PageAnswer })
  async preview(@ArticleId() id: string, @WithExchange() { reply }: Exchange): Promise<PageAnswer> {
    const { answer, position } = await this.previews.page(id)
    void reply.headers({ 'cache-control': 'private, no-store', 'stet-position': position })
    return answer
  }

  @Post(':id/preview-link')
  @HttpCode(200)
  @Describe({ id: 'createPreviewLink', summary: 'A link to the preview that ends', answer: PreviewLinkAnswer })
  async link(
    @ArticleId() id: string,
    @Body() { minutes }: CreatePreviewLink,
    @WithExchange() { reply }: Exchange,
  ): Promise<PreviewLinkAnswer> {
    const { token, until } = await this.previews.link(id, minutes ?? undefined)
    void reply.header('cache-control', 'no-store')
    return { token, path: `/reader/v1/preview/${token}`, until: until.toISOString() }
  }
}

/** What a link opens. */
export class OpenPreview {
  /** As an editor was given it. */
  @IsNonBlank(200) token!: string
}

@Controller('reader/v1/preview')
@Open()
export class PreviewController {
  constructor(private readonly previews: Previews) {}

  @Get(':token')
  @Describe({ id: 'openPreview', summary: 'What an editor gave a link to, as it is now', answer: PageAnswer })
  async open(@Question() { token }: OpenPreview, @WithExchange() { reply }: Exchange): Promise<PageAnswer> {
    // Whatever comes of it: nobody keeps it, finds it or tells others where it was.
    void reply.headers(SECRET)
    return (await this.previews.open(token)).answer
  }
}

const SECRET = {
  'cache-control': 'no-store',
  'x-robots-tag': 'noindex, nofollow',
  'referrer-policy': 'no-referrer',
} as const
