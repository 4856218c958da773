// Items of news agencies and of Superdesk, one per request.
import { Body, Controller, HttpCode, Injectable, Post, Query } from '@nestjs/common'
import { importOf, readNinjs } from '@stet/newsroom'
import { Transform } from 'class-transformer'
import { IsBoolean, IsOptional } from 'class-validator'
import { ImportAnswer } from '../answers'
import { Describe } from '../openapi/describe'
import { addressOf, type Exchange, WithExchange } from './address'
import { Commands } from './commands'

export class ImportOptions {
  /** Publish at once when nothing holds the item back. */
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))
  @IsBoolean()
  publish?: boolean
}

@Injectable()
export class Imports {
  constructor(private readonly commands: Commands) {}

  /** Identity is the item's guid or uri: a second import of it updates the same article. */
  async ninjs(item: unknown, { publish = false }: ImportOptions, { request, reply }: Exchange): Promise<ImportAnswer> {
    const read = readNinjs(item)
    const { articleId, command } = importOf(read, { publish })
    const outcome = await this.commands.send(command, addressOf(request, reply, 'article', articleId))
    return { ...outcome, profile: read.profile, held: read.held, notUnderstood: [...read.notUnderstood] }
  }
}

@Controller('editorial/v1/imports')
export class ImportsController {
  constructor(private readonly imports: Imports) {}

  @Post('ninjs')
  @HttpCode(200)
  @Describe({ id: 'importNinjs', summary: 'Import one IPTC ninjs item', answer: ImportAnswer, anyBody: true })
  ninjs(
    @Body() item: unknown,
    @Query() options: ImportOptions,
    @WithExchange() exchange: Exchange,
  ): Promise<ImportAnswer> {
    return this.imports.ninjs(item, options, exchange)
  }
}
