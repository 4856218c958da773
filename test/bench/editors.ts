// Editors at work beside a measurement: eight of them, each saving a draft once a second, and one article published anew
// every second; over all articles, those that are read most included.
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from '../support/client'
import { type Newsroom } from '../support/newsroom'
import { articleId, zipf } from './seed-log'

const EDITORS = 8

export interface EditorsAtWork {
  /** Lets them finish; says what they did. */
  finish(): Promise<string>
}

export const editorsAtWork = (newsroom: Newsroom, articles: number): EditorsAtWork => {
  const client = new Client(newsroom)
  let working = true
  let drafts = 0
  let publications = 0
  let failed = 0
  const work = async (editor: number) => {
    await delay((editor / EDITORS) * 1_000)
    for (let n = 0; working; n++) {
      const next = delay(1_000)
      const article = articleId(zipf(n * EDITORS + editor, articles))
      const revision = { summary: `Saved ${n} times by editor ${editor}` }
      try {
        await client.command(`/articles/${article}/revise`, revision, { headers: { 'if-match': '*' } })
        drafts++
        if (n % EDITORS === editor) {
          await client.command(`/articles/${article}/publish`)
          publications++
        }
      } catch {
        // A server at its limit may leave a command without an answer for half a minute: stated, not hidden.
        failed++
      }
      await next
    }
  }
  const everybody = Promise.all(Array.from({ length: EDITORS }, (_, editor) => work(editor)))
  return {
    finish: async () => {
      working = false
      await everybody
      return `${drafts} drafts saved, ${publications} articles published anew, ${failed} commands without success`
    },
  }
}
