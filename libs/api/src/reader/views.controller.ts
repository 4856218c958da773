// The view beacon: answered once the view is durable.
import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common'
import { RouteConfig } from '@nestjs/platform-fastify'
import { ViewDto } from '@stet/newsroom'
import { Open } from '@stet/platform'
import { type FastifyRequest } from 'fastify'
import { type Exchange, WithExchange } from '../editorial/address'
import { Describe } from '../openapi/describe'
import { ViewRecorder } from './view-recorder'

/** Whether a header may say which country a reader is in: only a trusted proxy knows. */
export const TRUSTS_PROXY = Symbol('TrustsProxy')

@Controller('reader/v1/views')
export class ViewsController {
  constructor(
    private readonly recorder: ViewRecorder,
    @Inject(TRUSTS_PROXY) private readonly trustsProxy: boolean,
  ) {}

  @Post()
  @HttpCode(204)
  @Open()
  @RouteConfig({ acceptsText: true })
  @Describe({ id: 'recordView', summary: 'A reader opened an article', answer: null, status: 204, acceptsText: true })
  async view(@Body() view: ViewDto, @WithExchange() { request }: Exchange): Promise<void> {
    await this.recorder.record(view, contextOf(request, this.trustsProxy))
  }
}

const contextOf = ({ ip, headers }: FastifyRequest, trustsProxy: boolean) => ({
  ip,
  userAgent: headers['user-agent'],
  purpose: text(headers['sec-purpose'] ?? headers.purpose ?? headers['x-moz']),
  unhashed: headers['sec-gpc'] === '1' || headers.dnt === '1',
  country: trustsProxy ? text(headers['x-country-code']) : undefined,
})

const text = (header: string | string[] | undefined): string | undefined => (Array.isArray(header) ? header[0] : header)
