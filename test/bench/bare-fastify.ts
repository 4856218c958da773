// What the server is measured against: Fastify alone, serving given bytes, or answering 204 after a timer.
import { readFileSync } from 'node:fs'
import { fastify } from 'fastify'

const [kind, file] = process.argv.slice(2)
const app = fastify()
if (kind === 'page') {
  const bytes = readFileSync(file!)
  app.get('/*', (_request, reply) => reply.type('application/json; charset=utf-8').send(bytes))
} else {
  app.post('/*', (_request, reply) => {
    setTimeout(() => void reply.code(204).send(), 250)
    return reply
  })
}
void app.listen({ host: '127.0.0.1', port: 0, backlog: 4_096 }).then(url => console.log(url))
