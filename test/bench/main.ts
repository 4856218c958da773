// `npm run bench [SECTION...]`: what the product must reach, each figure beside what it is compared with, in one run.
// Everything runs on one machine against embedded stores in a data directory of its own; nothing leaves loopback.
import { commands } from './commands'
import { desk } from './desk'
import { documentStore, largeDocuments } from './document-store'
import { eventStore } from './event-store'
import { eventStoreLarge } from './event-store-large'
import { history } from './history'
import { historyOfOne } from './history-of-one'
import { type Measure, print } from './measures'
import { pages } from './pages'
import { propagation } from './propagation'
import { views } from './views'

const sections: Readonly<Record<string, () => Promise<Measure[]>>> = {
  pages,
  views,
  propagation,
  commands,
  desk,
  'event-store': eventStore,
  'document-store': documentStore,
  history,
  'history-of-one': historyOfOne,
}

/** Run only when they are named: they take minutes, and gigabytes of disk. */
const large: Readonly<Record<string, () => Promise<Measure[]>>> = {
  'event-store-large': eventStoreLarge,
  'document-store-large': largeDocuments,
}

const main = async (): Promise<void> => {
  const asked = process.argv.slice(2)
  const all = { ...sections, ...large }
  const unknown = asked.filter(name => !(name in all))
  if (unknown.length > 0) throw new Error(`no such section: ${unknown.join(', ')} (${Object.keys(all).join(', ')})`)
  let short = 0
  for (const [name, measure] of Object.entries(asked.length > 0 ? all : sections)) {
    if (asked.length > 0 && !asked.includes(name)) continue
    console.log(`\n${name}`)
    const measures = await measure()
    print(measures)
    short += measures.filter(({ holds }) => holds === false).length
  }
  console.log(short === 0 ? '\nEvery target holds.' : `\n${short} short of the target.`)
}

// What is ended half-way leaves no server behind: those who started one end it on exit.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error)
    process.exit(1)
  },
)
