// Commands to a curated list.
import { Body, Controller, HttpCode, Post } from '@nestjs/common'
import { CreateList, FeatureArticle, UnfeatureArticle } from '@stet/newsroom'
import { CommandAnswer } from '../answers'
import { Describe } from '../openapi/describe'
import { type Address, ToList } from './address'
import { Commands } from './commands'

@Controller('editorial/v1/lists')
export class ListsController {
  constructor(private readonly commands: Commands) {}

  @Post(':list/create')
  @Describe({ id: 'createList', summary: 'Create a curated list', answer: CommandAnswer, status: 201 })
  create(@Body() command: CreateList, @ToList() to: Address): Promise<CommandAnswer> {
    return this.commands.create(command, to, list => `/reader/v1/lists/${list}`)
  }

  @Post(':list/feature')
  @HttpCode(200)
  @Describe({ id: 'featureArticle', summary: 'Put an article at the end of a list', answer: CommandAnswer })
  feature(@Body() command: FeatureArticle, @ToList() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }

  @Post(':list/unfeature')
  @HttpCode(200)
  @Describe({ id: 'unfeatureArticle', summary: 'Take an article off a list', answer: CommandAnswer })
  unfeature(@Body() command: UnfeatureArticle, @ToList() to: Address): Promise<CommandAnswer> {
    return this.commands.send(command, to)
  }
}
