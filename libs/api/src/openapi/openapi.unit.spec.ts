// Every route has a role, a description and schemas; examples are what they are examples of; nothing underivable passes.
import { Body, Controller, Get, Post } from '@nestjs/common'
import { describe, expect, it } from '@jest/globals'
import { Open, OperationsController, refuseUndeclared, Roles, routesOf } from '@stet/platform'
import { Type } from '@sinclair/typebox'
import Ajv2020 from 'ajv/dist/2020'
import addFormats from 'ajv-formats'
import { IsString, ValidateBy } from 'class-validator'
import { MAY } from '../access'
import { CommandAnswer } from '../answers'
import { CONTROLLERS } from '../composition/modules'
import { Describe } from './describe'
import { descriptionOf, openApiDocument } from './document'
import { EXAMPLES } from './examples'
import { requestSchema } from './requests'

const controllers = Object.values(CONTROLLERS).flat()
const routes = [...controllers, OperationsController].flatMap(routesOf)
const document = openApiDocument(routes, '1.2.3')
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)

const ajv = new Ajv2020({ strict: false })
addFormats(ajv)
ajv.addSchema({ $id: 'document', ...document })
const check = (name: string) => ajv.compile({ $ref: `document#/components/schemas/${name}` })

describe('every route', () => {
  it('declares who may call it', () => {
    expect(routes.length).toBeGreaterThan(20)
    expect(() => refuseUndeclared(routes)).not.toThrow()
    for (const { path, access } of routes) {
      if (path.startsWith('/editorial/')) expect(access).toMatchObject({ kind: 'roles' })
      if (path.startsWith('/analyst/')) expect(access).toEqual({ kind: 'roles', roles: ['analyst'] })
      if (path.startsWith('/reader/')) expect(access).toEqual({ kind: 'open' })
    }
  })

  it('that needs a role has it from the one table, and every row of the table is a route', () => {
    const asked = controllers
      .flatMap(routesOf)
      .flatMap(route =>
        route.access?.kind === 'roles' ? [[descriptionOf(route).id, route.access.roles] as const] : [],
      )
    // Fails for @Roles(...) on a route: give its operation a row in access.ts instead.
    expect(Object.fromEntries(asked)).toEqual(MAY)
  })

  it('says once who may call it', () => {
    const declare = () => {
      class Planted {
        @Roles('reporter')
        @Describe({ id: 'publishArticle', summary: 'twice', answer: null })
        twice() {}
      }
      return Planted
    }
    expect(declare).toThrow('Planted.twice says twice who may call it')
  })

  it('without a declared role is found', () => {
    @Controller('planted')
    class Planted {
      @Get('open') @Open() open() {}
      @Get('forgotten') forgotten() {}
    }
    expect(() => refuseUndeclared(routesOf(Planted))).toThrow(/GET \/planted\/forgotten declares no role/)
  })
})

describe('the OpenAPI document', () => {
  it('describes every route of editors, readers and analysts', () => {
    const described = operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`).sort()
    const existing = controllers
      .flatMap(routesOf)
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
    expect(described).toEqual(existing.sort())
  })

  it.each(operations.map(each => [each.operation.operationId as string, each] as const))('%s is whole', (id, each) => {
    expect(id).toMatch(/^[a-z][A-Za-z]+$/)
    const responses = each.operation.responses as Record<string, { content?: Record<string, Record<string, unknown>> }>
    for (const [status, { content = {} }] of Object.entries(responses)) {
      if (status === '204' || status === '304') expect(content).toEqual({})
      else expect(Object.keys(content)).toHaveLength(1)
      for (const media of Object.values(content)) {
        expect(media.schema).toBeDefined()
        expect(media.example).toBeDefined()
      }
    }
    const declared = (each.operation.parameters as { name: string; in: string }[]).filter(p => p.in === 'path')
    expect(declared.map(({ name }) => `{${name}}`)).toEqual(each.path.match(/\{\w+\}/g) ?? [])
  })

  it('names every problem that an operation may answer with, and no other', () => {
    const problems = Object.fromEntries(
      operations.map(({ operation: { operationId, responses } }) => [
        operationId as string,
        Object.keys(responses as object).filter(status => !/^(2|304)/.test(status)),
      ]),
    )
    const command = ['400', '401', '403', '404', '409', '412', '413', '415', '422', '429']
    expect(problems).toMatchObject({
      publishArticle: [...command, '503'],
      reviseArticle: [...command.slice(0, -1), '428', '429', '503'],
      draftArticle: [...command.filter(status => status !== '404'), '503'],
      getEditorsArticle: ['400', '401', '403', '404', '410', '422', '429', '503'],
      getArticle: ['308', '400', '404', '410', '422', '503'],
      listArticles: ['422', '503'],
      recordView: ['400', '413', '415', '422', '503'],
      listEvents: ['401', '403', '422', '429', '503'],
    })
    for (const [id, statuses] of Object.entries(problems)) {
      expect([id, statuses]).not.toEqual([id, expect.arrayContaining(['default'])])
      expect([id, statuses]).not.toEqual([id, expect.arrayContaining(['500'])])
    }
  })

  it('has operation ids of their own', () => {
    const ids = operations.map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it.each(Object.keys(EXAMPLES))('has an example of %s that is one', name => {
    const validate = check(name)
    expect([validate(EXAMPLES[name]), validate.errors]).toEqual([true, null])
    expect(validate({ nothing: 'of the kind' })).toBe(false)
  })

  it('says of bodies what class-validator checks', () => {
    const draft = check('DraftArticle')
    const good = { headline: 'x', section: 'News', bodyHtml: '<p>y</p>' }
    expect(draft(good)).toBe(true)
    for (const bad of [
      { ...good, headline: 7 },
      { ...good, admin: true },
      { section: 'News', bodyHtml: '' },
    ])
      expect(draft(bad)).toBe(false)
  })

  it('refuses a route without description, two of one name, an answer without example', () => {
    @Controller('reader/v1')
    class Silent {
      @Get('silent') @Open() silent() {}
    }
    @Controller('reader/v1')
    class Twice {
      @Get('a') @Open() @Describe({ id: 'same', summary: 'a', answer: CommandAnswer }) a() {}
      @Get('b') @Open() @Describe({ id: 'same', summary: 'b', answer: CommandAnswer }) b() {}
    }
    @Controller('reader/v1')
    class Bare {
      @Get('c') @Open() @Describe({ id: 'bare', summary: 'c', answer: Type.String({ $id: 'Bare' }) }) c() {}
    }
    expect(() => openApiDocument(routesOf(Silent), '1')).toThrow(/GET \/reader\/v1\/silent is not described/)
    expect(() => openApiDocument(routesOf(Twice), '1')).toThrow(/two operations are called same/)
    expect(() => openApiDocument(routesOf(Bare), '1')).toThrow(/Bare has no example/)
  })

  it('refuses a decorator from which no schema can be derived', () => {
    class Odd {
      @IsString() fine!: string
      @ValidateBy({ name: 'isOdd', validator: { validate: () => true } }) odd!: number
    }
    @Controller('reader/v1')
    class OddController {
      @Post('odd') @Open() @Describe({ id: 'odd', summary: 'odd', answer: CommandAnswer }) odd(@Body() _: Odd) {}
    }
    expect(() => requestSchema(Odd)).toThrow(/Odd\.odd: no schema can be derived from the decorator isOdd/)
    expect(() => openApiDocument(routesOf(OddController), '1')).toThrow(/Odd\.odd/)
  })
})
