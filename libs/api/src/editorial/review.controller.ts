// From writing to publication: review, embargo, spike.
import { Body, Controller, HttpCode, Post } from '@nestjs/common'
import {
  ApproveArticle,
  EmbargoArticle,
  RestoreArticle,
  SendBackArticle,
  SpikeArticle,
  SubmitArticle,
} from '@stet/newsroom'
import { CommandAnswer } from '../answers'
import { Describe } from '../openapi/describe'
import { type Address, ToArticle } from './address'
import { Commands } from './commands'

@Controller('editorial/v1/articles')
export class ReviewController {
  constructor(private readonly commands: Commands) {}

  @Post(':id/submit')
  @HttpCode(200)
  @Describe({ id: 'submitArticle', summary: 'Put the working copy up for review', answer: CommandAnswer })
  submit(@Body() command: SubmitArticle, @ToArticle() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':id/send-back')
  @HttpCode(200)
  @Describe({ id: 'sendBackArticle', summary: 'End the review: something is to be mended', answer: CommandAnswer })
  sendBack(@Body() command: SendBackArticle, @ToArticle() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':id/approve')
  @HttpCode(200)
  @Describe({ id: 'approveArticle', summary: 'Approve the working copy as it stands', answer: CommandAnswer })
  approve(@Body() command: ApproveArticle, @ToArticle() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':id/embargo')
  @HttpCode(200)
  @Describe({ id: 'embargoArticle', summary: 'Set or end an embargo', answer: CommandAnswer })
  embargo(@Body() command: EmbargoArticle, @ToArticle() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':id/spike')
  @HttpCode(200)
  @Describe({ id: 'spikeArticle', summary: 'Put the article away', answer: CommandAnswer })
  spike(@Body() command: SpikeArticle, @ToArticle() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':id/restore')
  @HttpCode(200)
  @Describe({ id: 'restoreArticle', summary: 'Take a spiked article back to work', answer: CommandAnswer })
  restore(@Body() command: RestoreArticle, @ToArticle() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }
}
