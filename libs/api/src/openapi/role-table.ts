// The table of roles as docs/http.md shows it: printed from what the guards ask.
import { routesOf, ROLES } from '@stet/platform'
import { CONTROLLERS } from '../composition/modules'
import { descriptionOf } from './document'

/** A Markdown table, its columns aligned as the formatter wants them: one row for each operation that needs a role. */
export const roleTable = (): string => {
  const rows = Object.values(CONTROLLERS)
    .flat()
    .flatMap(routesOf)
    .flatMap(route => {
      const { access, method, path } = route
      if (access?.kind !== 'roles') return []
      const call = `\`${method} ${path.replace(/:(\w+)/g, '{$1}')}\``
      return [
        [`\`${descriptionOf(route).id}\``, call, ...ROLES.map(role => (access.roles.includes(role) ? 'yes' : ''))],
      ]
    })
  return aligned([['operation', 'call', ...ROLES], ...rows])
}

const aligned = ([head = [], ...rows]: readonly (readonly string[])[]): string => {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map(row => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`
  return [line(head), line(widths.map(width => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
