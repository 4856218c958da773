// Many commands in one request.
import { Body, Controller, HttpCode, Post } from '@nestjs/common'
import { Describe } from '../openapi/describe'
import { type Exchange, WithExchange } from './address'
import { BatchAnswer, Batches, SendBatch } from './batch'

@Controller('editorial/v1/batch')
export class BatchController {
  constructor(private readonly batches: Batches) {}

  @Post()
  @HttpCode(200)
  @Describe({ id: 'sendBatch', summary: 'Send many commands at once', answer: BatchAnswer, composed: true })
  async send(@Body() batch: SendBatch, @WithExchange() { request, reply }: Exchange): Promise<BatchAnswer> {
    void reply.header('cache-control', 'no-store')
    return this.batches.run(batch, request)
  }
}
