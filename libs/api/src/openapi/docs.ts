// /openapi.json and /docs.
import { type NestFastifyApplication } from '@nestjs/platform-fastify'
import { type OpenAPIObject, SwaggerModule } from '@nestjs/swagger'
import { controllerRoutes, DOCS_POLICY } from '@stet/platform'
import { openApiDocument } from './document'

/** Serves the document of an application's routes, and Swagger's pages over it. Both are open. */
export const serveDocs = (app: NestFastifyApplication, version: string): void => {
  const document = openApiDocument(controllerRoutes(app), version)
  const fastify = app.getHttpAdapter().getInstance()
  fastify.addHook('onRequest', (request, reply, done) => {
    // The API's own policy forbids every page; these few are pages.
    if (request.url === '/docs' || request.url.startsWith('/docs/'))
      void reply.header('content-security-policy', DOCS_POLICY)
    done()
  })
  SwaggerModule.setup('docs', app, document as unknown as OpenAPIObject, {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
    customSiteTitle: 'Stet API',
  })
}
