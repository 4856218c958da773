// Whether this process lives, and whether it can serve: what orchestrators and load balancers ask.
import { type Static, Type } from '@sinclair/typebox'

export const HealthAnswer = Type.Object(
  {
    status: Type.Union([Type.Literal('ok'), Type.Literal('unavailable')]),
    checks: Type.Record(Type.String(), Type.Object({ ok: Type.Boolean(), detail: Type.Optional(Type.String()) })),
  },
  { $id: 'Health', additionalProperties: false },
)
export type HealthAnswer = Static<typeof HealthAnswer>

export interface Check {
  readonly ok: boolean
  /** Words for operators; no addresses, no secrets: the route may be open. */
  readonly detail?: string
}

/** The checks of a process. A check that takes longer than two seconds has failed. */
export class Health {
  readonly #checks = new Map<string, () => Promise<Check>>()
  #draining = false

  add(name: string, check: () => Promise<Check>): void {
    this.#checks.set(name, check)
  }

  /** From now on not ready: the process is about to end. */
  drain(): void {
    this.#draining = true
  }

  async ready(): Promise<HealthAnswer> {
    const checks: Record<string, Check> = this.#draining ? { process: { ok: false, detail: 'is ending' } } : {}
    await Promise.all([...this.#checks].map(async ([name, check]) => (checks[name] = await bounded(check))))
    return { status: Object.values(checks).every(({ ok }) => ok) ? 'ok' : 'unavailable', checks }
  }
}

const LONGEST = 2_000

const bounded = async (check: () => Promise<Check>): Promise<Check> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Check>(resolve => {
    timer = setTimeout(() => resolve({ ok: false, detail: 'does not answer' }), LONGEST)
  })
  try {
    return await Promise.race([check(), late])
  } catch {
    return { ok: false, detail: 'fails' }
  } finally {
    clearTimeout(timer)
  }
}
