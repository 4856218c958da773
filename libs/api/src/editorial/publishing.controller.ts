// What readers see: publishing, correcting, taking back.
import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common'
import { AGGREGATES, Aggregates } from '@stet/eventsourcing'
import {
  AmendArticle,
  CorrectArticle,
  PublishArticle,
  RetractArticle,
  ReleaseSlug,
  UnpublishArticle,
  YieldSlug,
  type Article,
  article as articleDecider,
} from '@stet/newsroom'
import { CommandAnswer } from '../answers'
import { Describe } from '../openapi/describe'
import { type Address, ToArticle } from './address'
import { Commands } from './commands'

@Controller('editorial/v1/articles')
export class PublishingController {
  constructor(
    private readonly commands: Commands,
    @Inject(AGGREGATES) private readonly aggregates: Aggregates,
  ) {}

  @Post(':id/publish')
  @HttpCode(200)
  @Describe({ id: 'publishArticle', summary: 'Show the working copy to readers', answer: CommandAnswer })
  publish(@Body() command: PublishArticle, @ToArticle() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':id/correct')
  @HttpCode(200)
  @Describe({
    id: 'correctArticle',
    summary: 'Correct a live article, with a note to readers',
    answer: CommandAnswer,
    ifMatch: 'required',
  })
  correct(@Body() command: CorrectArticle, @ToArticle({ replaces: true }) to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':id/amend')
  @HttpCode(200)
  @Describe({
    id: 'amendArticle',
    summary: 'Mend a slip in a live article silently',
    answer: CommandAnswer,
    ifMatch: 'required',
  })
  amend(@Body() command: AmendArticle, @ToArticle({ replaces: true }) to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':id/unpublish')
  @HttpCode(200)
  @Describe({ id: 'unpublishArticle', summary: 'Take the article back', answer: CommandAnswer })
  unpublish(@Body() command: UnpublishArticle, @ToArticle() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':id/retract')
  @HttpCode(200)
  @Describe({ id: 'retractArticle', summary: 'Replace the text by a notice', answer: CommandAnswer })
  retract(@Body() command: RetractArticle, @ToArticle() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':id/yield-slug')
  @HttpCode(200)
  @Describe({ id: 'yieldSlug', summary: 'Give up an old address of the article', answer: CommandAnswer })
  async yieldSlug(@Body() command: YieldSlug, @ToArticle() to: Address): Promise<CommandAnswer> {
    const answer = await this.commands.send(command, to)
    // First the article knows that it is no longer its own, then others may have it: the same call again finishes
    // what a crash between the two left.
    const yielded = await this.aggregates.load<Article>(articleDecider, answer.id)
    const yieldedAt = yielded?.state.yielded[command.slug]
    if (yieldedAt !== undefined) {
      const release = Object.assign(new ReleaseSlug(), { articleId: answer.id, yieldedAt })
      await this.commands.follow(release, to, command.slug)
    }
    return answer
  }
}
