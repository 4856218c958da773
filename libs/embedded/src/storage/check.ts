// Whether the pages of an LMDB file hold together. LMDB itself trusts them: it follows a page that was cut off or altered,
// which ends the process or gives wrong answers. So they are looked at before the file is mapped.
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { databaseName } from './database'
import { StorageDamaged } from './errors'
import { isSound } from './seal'

/**
 * Up to how many pages (of 16 KiB) what is looked at, so that a start stays short: 100 MiB take about 0.2 s, of small entries
 * 0.5 s. Of the largest only the pages above the leaves are; the rest is afterwards (rest.ts). Entries are checked whenever one is read, too.
 */
const LIMITS = {
  /** Of files that were closed in order and left alone since: 64 MiB with the entries' contents, 256 MiB without. */
  trusted: { withContents: 4_096, whole: 16_384 },
  /** Of others: 256 MiB and 1 GiB. */
  untrusted: { withContents: 16_384, whole: 65_536 },
  none: { withContents: Infinity, whole: Infinity },
}

const MAGIC = 0xbeefc0de
const VERSION = 2
const PAGE_HEADER = 24
const NODE_HEADER = 8
const BRANCH = 1
const LEAF = 2
const OVERFLOW = 4
const META = 8
const BIG_DATA = 1
const SUB_DATABASE = 2
const INTEGER_KEYS = 8
const TREE_BYTES = 48
/** What stands for a value of its own pages: the first one's number, the transaction that wrote it, and how many. */
const BIG_BYTES = 24
const LARGEST_MAP = 2n ** 46n
const NO_ROOT = 2n ** 64n - 1n

/** A tree as a meta page, or an entry of the main tree, describes it. */
interface Tree {
  /** How LMDB compares its keys, and whether a key may have several values. */
  flags: number
  depth: number
  entries: number
  root: bigint
}
/** Of a file as of one commit: what all its pages are reached from. */
export interface Meta {
  pageSize: number
  free: Tree
  main: Tree
  lastPage: number
  transaction: bigint
}

interface Node {
  key: Buffer
  /** Where it begins in its page. */
  offset: number
  flags: number
}

type Order = (a: Buffer, b: Buffer) => number
type Visit = (key: Buffer, value: Buffer, isTree: boolean) => void
interface Walk {
  order: Order
  visit: Visit
}

export interface CheckOptions {
  /** Those that it may have; any when absent. */
  readonly databases?: readonly string[]
  /** Its entries begin with their checksum. */
  readonly isSealed?: boolean
  /** It is as it was closed: less is looked at of large files. */
  readonly isTrusted?: boolean
  /** All of it is looked at, however large it is. */
  readonly isWhole?: boolean
  /** It is looked at as of an older commit, which a snapshot holds. */
  readonly meta?: Meta
}

/**
 * Gives from where the rest is to be looked at, when not all of it was.
 * @throws StorageDamaged when the file is missing or cut off, its pages contradict each other, or an entry is not sound.
 */
export function checkFile(file: string, options: CheckOptions = {}): Meta | undefined {
  if (!existsSync(file)) throw new StorageDamaged(`${file} (it is missing)`)
  const descriptor = openSync(file, 'r')
  try {
    return new Check(file, descriptor).run(options)
  } catch (error) {
    // A length or a place that points out of its page.
    if (error instanceof RangeError) throw new StorageDamaged(`${file} (${error.message})`)
    throw error
  } finally {
    closeSync(descriptor)
  }
}

class Check {
  private meta!: Meta
  private seen!: Uint8Array
  /** By the places in the page that is looked at where entries begin: where these end; else 0. */
  private ends!: Float64Array
  private whole = true
  /** Pages that the file has. */
  private pages = 0

  constructor(
    private readonly file: string,
    private readonly descriptor: number,
  ) {}

  run({ databases, isSealed, isTrusted, isWhole, meta }: CheckOptions): Meta | undefined {
    this.meta = meta ?? this.newestMeta()
    const { lastPage, pageSize, free, main } = this.meta
    // The last pages may be free ones that were never written.
    this.pages = Math.floor(fstatSync(this.descriptor).size / pageSize)
    this.seen = new Uint8Array(this.pages)
    this.ends = new Float64Array(pageSize)
    const limits = isWhole ? LIMITS.none : isTrusted ? LIMITS.trusted : LIMITS.untrusted
    this.whole = lastPage < limits.whole
    const trees: Tree[] = []
    this.tree(main, byBytes, (key, value, isTree) => {
      if (!isTree) return
      if (value.length !== TREE_BYTES || databases?.includes(databaseName(key)) === false)
        throw this.damaged('its list of databases')
      trees.push(treeAt(value, 0))
    })
    const withContents = lastPage < limits.withContents
    for (const tree of trees)
      this.tree(tree, byBytes, (key, value, isTree) => {
        if (isTree) throw this.damaged('an entry')
        if (isSealed && withContents && !isSound(key, value)) throw this.damaged('an entry')
      })
    const lists: Buffer[] = []
    this.tree(free, byNumber, (_key, value) => lists.push(Buffer.from(value)))
    if (this.whole) this.free(lists)
    return withContents ? undefined : this.meta
  }

  /** No page is both in use and free: a free one is written over. */
  private free(lists: Buffer[]): void {
    const { lastPage } = this.meta
    const known = new Uint8Array(lastPage + 1)
    known.set(this.seen.subarray(0, lastPage + 1))
    known.fill(1, 0, 2)
    for (const list of lists) {
      const numbers = Array.from({ length: list.length >> 3 }, (_, i) => Number(list.readBigInt64LE(8 * i)))
      // The first is how many there are; a negative one is how many pages follow each other from the next one on.
      if (list.length % 8 !== 0 || !(numbers[0]! >= 0 && numbers[0]! < numbers.length))
        throw this.damaged('its list of free pages')
      for (let i = 1; i < numbers.length; i++) {
        const first = numbers[i]!
        if (first <= 0) continue
        const count = i > 1 && numbers[i - 1]! < 0 ? -numbers[i - 1]! : 1
        for (let page = first; page < first + count; page++) {
          if (known[page] !== 0) throw this.damaged('its list of free pages')
          known[page] = 1
        }
      }
    }
  }

  /** Two meta pages are written in turn; the newer one counts. */
  private newestMeta(): Meta {
    const head = Buffer.alloc(PAGE_HEADER + 152)
    const read = (at: number): Meta => {
      if (readSync(this.descriptor, head, 0, head.length, at) < head.length) throw this.damaged('it is cut off')
      const meta = metaAt(head.subarray(PAGE_HEADER))
      // LMDB takes some of what it needs from the older one too.
      if (!meta || head.readUInt16LE(18) !== META || meta.free.flags !== INTEGER_KEYS || meta.main.flags !== 0)
        throw this.damaged('its head')
      return meta
    }
    const first = read(0)
    const second = read(first.pageSize)
    const [a, b] = [first.transaction, second.transaction]
    // Made, and not written to yet.
    const isNew = a === 0n && b === 0n && [first, second].every(({ main }) => main.root === NO_ROOT)
    if (!isNew && (a % 2n !== 0n || b % 2n !== 1n || (a - b !== 1n && b - a !== 1n))) throw this.damaged('its head')
    if (first.pageSize !== second.pageSize) throw this.damaged('its head')
    return a > b ? first : second
  }

  private tree({ flags, root, depth, entries }: Tree, order: Order, visit: Visit): void {
    if (flags !== (order === byNumber ? INTEGER_KEYS : 0)) throw this.damaged('the kind of a tree')
    if (root === NO_ROOT) return
    if (depth < 1 || depth > 32) throw this.damaged('the depth of a tree')
    const found = this.page(Number(root), depth, { order, visit }, undefined, undefined)
    if (this.whole && found !== entries) throw this.damaged(`a tree has ${found} of ${entries} entries`)
  }

  /** Looks at a page and all below it, whose keys must lie in [low, high); gives the number of entries. */
  private page(number: number, depth: number, walk: Walk, low: Buffer | undefined, high: Buffer | undefined): number {
    const page = this.read(number, depth === 1 ? LEAF : BRANCH)
    const nodes = this.nodes(page, number, depth === 1 ? LEAF : BRANCH)
    let entries = 0
    for (let index = 0; index < nodes.length; index++) {
      const { key, offset, flags } = nodes[index]!
      // The first key of a page above the leaves is not kept: it is that of the page itself.
      const from = depth > 1 && index === 0 ? low : key
      if (index === 0 && from && low && walk.order(from, low) < 0)
        throw this.damaged(`the order of keys in page ${number}`)
      const to = nodes[index + 1]?.key ?? high
      if (from && to && walk.order(from, to) >= 0) throw this.damaged(`the order of keys in page ${number}`)
      if (depth === 1) {
        if (flags !== 0 && flags !== BIG_DATA && flags !== SUB_DATABASE) throw this.damaged(`page ${number}`)
        walk.visit(key, this.valueOf(page, offset, key.length, flags), (flags & SUB_DATABASE) !== 0)
        entries++
        continue
      }
      const child = page.readUInt32LE(offset) + page.readUInt16LE(offset + 4) * 2 ** 32
      if (depth === 2 && !this.whole) this.use(child, 1)
      else entries += this.page(child, depth - 1, walk, from, to)
    }
    return entries
  }

  private nodes(page: Buffer, number: number, kind: number): Node[] {
    const lower = page.readUInt16LE(20)
    const upper = page.readUInt16LE(22)
    const end = page.length - PAGE_HEADER
    if (lower % 2 !== 0 || lower === 0 || lower > upper || upper > end) throw this.damaged(`page ${number}`)
    const { ends } = this
    const nodes: Node[] = []
    for (let i = 0; i < lower / 2; i++) {
      const offset = page.readUInt16LE(PAGE_HEADER + 2 * i)
      if (offset < upper || offset + NODE_HEADER > end || ends[offset]) throw this.damaged(`page ${number}`)
      const at = PAGE_HEADER + offset
      const size = page.readUInt16LE(at + 6)
      if (offset + NODE_HEADER + size > end) throw this.damaged(`page ${number}`)
      const flags = page.readUInt16LE(at + 4)
      const value = kind === BRANCH ? 0 : flags & BIG_DATA ? BIG_BYTES : page.readUInt32LE(at)
      ends[offset] = offset + NODE_HEADER + size + value
      nodes.push({ key: page.subarray(at + NODE_HEADER, at + NODE_HEADER + size), offset: at, flags })
    }
    // They lie one after the other, each from an even place on, up to the end of the page.
    let at = upper
    let found = 0
    for (; at < end && ends[at]; found++) {
      const to = ends[at]!
      ends[at] = 0
      at = to + (to % 2)
    }
    if (at !== end || found !== nodes.length) throw this.damaged(`page ${number}`)
    return nodes
  }

  private valueOf(page: Buffer, offset: number, keyLength: number, flags: number): Buffer {
    const size = page.readUInt32LE(offset)
    const start = offset + NODE_HEADER + keyLength
    if (!(flags & BIG_DATA)) {
      if (start + size > page.length) throw this.damaged('the size of a value')
      return page.subarray(start, start + size)
    }
    const first = Number(page.readBigUInt64LE(start))
    const count = Number(page.readBigUInt64LE(start + 16))
    // There may be more than it needs: a longer one of the same transaction was written over.
    if (count < (PAGE_HEADER + size) / this.meta.pageSize || count > this.pages)
      throw this.damaged('the size of a value')
    const whole = this.read(first, OVERFLOW, count)
    if (whole.readUInt32LE(20) !== count) throw this.damaged(`page ${first}`)
    return whole.subarray(PAGE_HEADER, PAGE_HEADER + size)
  }

  private read(number: number, kind: number, count = 1): Buffer {
    this.use(number, count)
    const { pageSize } = this.meta
    const page = Buffer.allocUnsafe(count * pageSize)
    readSync(this.descriptor, page, 0, page.length, number * pageSize)
    // A page of a later transaction than the newest one would be taken for one that may be written to.
    if (page.readBigUInt64LE(8) > this.meta.transaction) throw this.damaged(`page ${number}`)
    if (page.readBigUInt64LE(0) !== BigInt(number) || page.readUInt16LE(18) !== kind || page.readUInt16LE(16) !== 0)
      throw this.damaged(`page ${number}`)
    return page
  }

  private use(number: number, count: number): void {
    if (!(number >= 2 && number + count - 1 <= this.meta.lastPage)) throw this.damaged(`a reference to page ${number}`)
    if (number + count > this.pages) throw this.damaged('it is cut off')
    for (let i = number; i < number + count; i++) {
      if (this.seen[i]) throw this.damaged(`page ${i}, in use twice`)
      this.seen[i] = 1
    }
  }

  private damaged(what: string): StorageDamaged {
    return new StorageDamaged(`${this.file} (${what})`)
  }
}

function metaAt(bytes: Buffer): Meta | undefined {
  if (bytes.readUInt32LE(0) !== MAGIC || (bytes.readUInt32LE(4) & 0xffff) !== VERSION) return undefined
  const pageSize = bytes.readUInt32LE(24)
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) return undefined
  // Where the file would be mapped to, if that mattered, and up to which size.
  if (bytes.readBigUInt64LE(8) !== 0n || bytes.readBigUInt64LE(16) > LARGEST_MAP) return undefined
  const lastPage = Number(bytes.readBigUInt64LE(120))
  if (bytes.readBigUInt64LE(16) < BigInt(lastPage + 1) * BigInt(pageSize)) return undefined
  if (lastPage > 2 ** 40) return undefined
  return {
    pageSize,
    free: treeAt(bytes, 24),
    main: treeAt(bytes, 72),
    lastPage,
    transaction: bytes.readBigUInt64LE(128),
  }
}

function treeAt(bytes: Buffer, at: number): Tree {
  return {
    flags: bytes.readUInt16LE(at + 4),
    depth: bytes.readUInt16LE(at + 6),
    entries: Number(bytes.readBigUInt64LE(at + 32)),
    root: bytes.readBigUInt64LE(at + 40),
  }
}

const byBytes: Order = (a, b) => a.compare(b)
/** Keys of the free list are numbers of 8 bytes, the low byte first. */
const byNumber: Order = (a, b) => Number(a.readBigUInt64LE() - b.readBigUInt64LE())
