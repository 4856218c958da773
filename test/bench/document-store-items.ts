// What the document store is measured with: items of about 1 KB.
export interface Item {
  _id: string
  n: number
  group: number
  text: string
}

/** How many an indexed find gives. */
export const PAGE_SIZE = 20
const GROUP_SIZE = 100

export const item = (n: number): Item => ({
  _id: `item ${n}`,
  n,
  group: Math.floor(n / GROUP_SIZE),
  text: `${n} `.padEnd(900, 'x'),
})
