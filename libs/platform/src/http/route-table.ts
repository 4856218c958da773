// Which methods a path has: for the Allow header of a 405 and for the test that walks all routes.

export interface Route {
  readonly method: string
  /** In find-my-way's syntax: `/editorial/v1/articles/:id`. */
  readonly path: string
}

/** Filled while routes are registered; asked only when nothing matched. */
export class RouteTable {
  readonly #routes: (Route & { readonly pattern: RegExp })[] = []

  add(method: string | readonly string[], path: string): void {
    for (const each of Array.isArray(method) ? (method as readonly string[]) : [method as string])
      this.#routes.push({ method: each, path, pattern: patternOf(path) })
  }

  get routes(): readonly Route[] {
    return this.#routes
  }

  /** Methods that the path of this url has, sorted; empty when there is no such path. */
  methodsAt(url: string): string[] {
    const path = url.split('?', 1)[0] ?? '/'
    return [...new Set(this.#routes.filter(route => route.pattern.test(path)).map(route => route.method))].sort()
  }
}

const patternOf = (path: string): RegExp =>
  new RegExp(
    `^${path
      .split('/')
      .map(part => (part.startsWith(':') ? '[^/]+' : part === '*' ? '.*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')))
      .join('/')}/?$`,
  )
