// What the environment says, checked once at the start: a wrong value ends the start with one line that names it.
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import {
  IsIn,
  IsInt,
  IsOptional,
  IsUrl,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateBy,
  validateSync,
} from 'class-validator'

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export const APPROVALS = ['none', 'four-eyes'] as const
export type Approval = (typeof APPROVALS)[number]

/** Everything an app is told from outside. Urls have no slash at the end. */
export interface Config {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** What article urls begin with; null: the address that the server listens on. */
  readonly siteUrl: string | null
  /** Absolute. */
  readonly dataDir: string
  /** null: the embedded store. */
  readonly eventStoreUrl: string | null
  /** null: the embedded store. */
  readonly mongodbUrl: string | null
  readonly mongodbDatabase: string
  readonly streamPrefix: string
  /** Whose tokens are accepted beside none: null means those of the local key in `dataDir`. */
  readonly auth: { readonly jwksUrl: URL; readonly issuer: string; readonly audience: string } | null
  /** Empty: readers' routes are open to every origin, the others to none. */
  readonly corsOrigins: readonly string[]
  /** Whether X-Forwarded-For is believed, and of whom (addresses and subnets). */
  readonly trustProxy: boolean | string
  /** File of networks whose views are not counted, absolute; null: none is known. */
  readonly datacentresFile: string | null
  /** Views of the last half hour by which repeats are known, in each process that counts. */
  readonly viewsRemembered: number
  /** Requests with a token that one caller may send a minute; null: as many as it likes. */
  readonly rateLimit: number | null
  readonly logLevel: LogLevel
  /** `four-eyes`: what people write is published only as somebody who wrote none of it has approved it. */
  readonly approval: Approval
  /** What links to previews are signed with; null: a key of its own in `dataDir`. */
  readonly previewKey: string | null
}

/** A variable that cannot be used; the message is the one line to print. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const URL_OPTIONS = { protocols: ['http', 'https'], require_protocol: true, require_tld: false }
const VIEWS = 'must be a number from 1000 to 10000000'
const HTTP_URL = { message: 'must be an http or https url' }

/** Names and values as they stand in the environment. */
class Environment {
  @Matches(/^[A-Za-z0-9.:_-]{1,253}$/, { message: 'must be an address or a host name' })
  HOST = '127.0.0.1'

  @IsInt({ message: 'must be a port number from 0 to 65535' })
  @Min(0, { message: 'must be a port number from 0 to 65535' })
  @Max(65_535, { message: 'must be a port number from 0 to 65535' })
  PORT = 3000

  @IsOptional()
  @IsUrl(URL_OPTIONS, HTTP_URL)
  SITE_URL?: string

  @MinLength(1, { message: 'must be a path' })
  DATA_DIR = '.data'

  @IsOptional()
  @Matches(/^(embedded|(esdb|kurrentdb)(\+discover)?:\/\/.+|unix:\/.+)$/, {
    message: 'must be `embedded` or a connection string that begins with esdb:// or kurrentdb://',
  })
  EVENTSTORE_URL?: string

  @IsOptional()
  @Matches(/^(embedded|mongodb(\+srv)?:\/\/.+)$/, {
    message: 'must be `embedded` or a connection string that begins with mongodb:// or mongodb+srv://',
  })
  MONGODB_URL?: string

  @Matches(/^[A-Za-z0-9_-]{1,63}$/, { message: 'must be a database name of letters, digits, _ and -' })
  MONGODB_DATABASE = 'stet'

  @Matches(/^([A-Za-z0-9_][A-Za-z0-9._]{0,38}\.)?$/, {
    message: 'must be at most 40 letters, digits, dots and _, and end with a dot',
  })
  STREAM_PREFIX = ''

  @IsOptional()
  @IsUrl(URL_OPTIONS, HTTP_URL)
  AUTH_JWKS_URL?: string

  @IsOptional()
  @MaxLength(500)
  AUTH_ISSUER?: string

  @IsOptional()
  @MaxLength(500)
  AUTH_AUDIENCE?: string

  @ValidateBy({
    name: 'origins',
    validator: {
      validate: value => typeof value === 'string' && listOf(value).every(isOrigin),
      defaultMessage: () => 'must be origins like https://example.org, separated by commas, or *',
    },
  })
  CORS_ORIGINS = ''

  @ValidateBy({
    name: 'proxies',
    validator: {
      validate: value => typeof value === 'string' && (value === 'off' || value === 'on' || areSubnets(listOf(value))),
      defaultMessage: () => 'must be off, on, or addresses and subnets of proxies, separated by commas',
    },
  })
  TRUST_PROXY = 'off'

  @IsOptional()
  @MinLength(1, { message: 'must be a path' })
  DATACENTRES_FILE?: string

  @IsInt({ message: VIEWS })
  @Min(1_000, { message: VIEWS })
  @Max(10_000_000, { message: VIEWS })
  VIEWS_REMEMBERED = 180_000

  @Matches(/^(off|[1-9]\d{0,6})$/, { message: 'must be off or requests a minute from 1 to 9999999' })
  RATE_LIMIT = '6000'

  @IsIn(LOG_LEVELS, { message: `must be one of ${LOG_LEVELS.join(', ')}` })
  LOG_LEVEL: LogLevel = 'info'

  @IsIn(APPROVALS, { message: `must be one of ${APPROVALS.join(', ')}` })
  APPROVAL: Approval = 'none'

  @IsOptional()
  @Matches(/^[\x21-\x7e]{32,200}$/, { message: 'must be 32 to 200 printable characters without blanks' })
  PREVIEW_KEY?: string

  @IsOptional()
  @IsIn(['production', 'development', 'test'], { message: 'must be production, development or test' })
  NODE_ENV?: string
}

/**
 * Reads the configuration. `stores` says whether this program may run on embedded stores: only the whole server can.
 * @throws ConfigError for the first variable with a value that is not understood
 */
export const readConfig = (
  env: Readonly<Record<string, string | undefined>>,
  { stores }: { readonly stores: 'embedded-or-remote' | 'remote' },
): Config => {
  const read = environmentOf(env)
  const eventStoreUrl = storeUrl('EVENTSTORE_URL', read.EVENTSTORE_URL, read.NODE_ENV, stores)
  const mongodbUrl = storeUrl('MONGODB_URL', read.MONGODB_URL, read.NODE_ENV, stores)
  return {
    host: read.HOST,
    port: read.PORT,
    siteUrl: read.SITE_URL?.replace(/\/+$/, '') ?? null,
    dataDir: resolve(read.DATA_DIR),
    eventStoreUrl,
    mongodbUrl,
    mongodbDatabase: read.MONGODB_DATABASE,
    streamPrefix: read.STREAM_PREFIX,
    auth: authOf(read),
    corsOrigins: listOf(read.CORS_ORIGINS),
    trustProxy: read.TRUST_PROXY === 'on' ? true : read.TRUST_PROXY === 'off' ? false : read.TRUST_PROXY,
    datacentresFile: read.DATACENTRES_FILE === undefined ? null : resolve(read.DATACENTRES_FILE),
    viewsRemembered: read.VIEWS_REMEMBERED,
    rateLimit: read.RATE_LIMIT === 'off' ? null : Number(read.RATE_LIMIT),
    logLevel: read.LOG_LEVEL,
    approval: read.APPROVAL,
    previewKey: read.PREVIEW_KEY ?? null,
  }
}

const environmentOf = (env: Readonly<Record<string, string | undefined>>): Environment => {
  const environment = new Environment()
  const target = environment as unknown as Record<string, unknown>
  for (const name of VARIABLES) {
    const value = env[name]
    // `PORT=` in a shell or a compose file means that nothing was chosen.
    if (value === undefined || value === '') continue
    target[name] = NUMBERS.includes(name) ? (/^\d{1,9}$/.test(value) ? Number(value) : NaN) : value
  }
  const [error] = validateSync(environment)
  if (error) {
    const [reason] = Object.values(error.constraints ?? {})
    const line = `${error.property} ${reason ?? 'is not understood'}`
    // A key that is too short is a secret all the same.
    throw new ConfigError(error.property === 'PREVIEW_KEY' ? line : `${line}; it is ${quoted(env[error.property])}`)
  }
  return environment
}

const NUMBERS: readonly string[] = ['PORT', 'VIEWS_REMEMBERED'] satisfies (keyof Environment)[]

const VARIABLES = [
  'HOST',
  'PORT',
  'SITE_URL',
  'DATA_DIR',
  'EVENTSTORE_URL',
  'MONGODB_URL',
  'MONGODB_DATABASE',
  'STREAM_PREFIX',
  'AUTH_JWKS_URL',
  'AUTH_ISSUER',
  'AUTH_AUDIENCE',
  'CORS_ORIGINS',
  'TRUST_PROXY',
  'DATACENTRES_FILE',
  'VIEWS_REMEMBERED',
  'RATE_LIMIT',
  'LOG_LEVEL',
  'APPROVAL',
  'PREVIEW_KEY',
  'NODE_ENV',
] as const satisfies readonly (keyof Environment)[]

const storeUrl = (
  name: 'EVENTSTORE_URL' | 'MONGODB_URL',
  value: string | undefined,
  nodeEnv: string | undefined,
  stores: 'embedded-or-remote' | 'remote',
): string | null => {
  if (value !== undefined && value !== 'embedded') return value
  if (stores === 'remote')
    throw new ConfigError(`${name} must be given here: only the whole server runs embedded stores`)
  if (value === undefined && nodeEnv === 'production')
    throw new ConfigError(`${name} must be given in production: the url of a cluster, or \`embedded\` on purpose`)
  return null
}

const authOf = ({ AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE }: Environment): Config['auth'] => {
  if (AUTH_JWKS_URL && !AUTH_ISSUER) throw new ConfigError('AUTH_ISSUER must be given with AUTH_JWKS_URL')
  if (AUTH_ISSUER && !AUTH_JWKS_URL) throw new ConfigError('AUTH_JWKS_URL must be given with AUTH_ISSUER')
  return AUTH_JWKS_URL && AUTH_ISSUER
    ? { jwksUrl: new URL(AUTH_JWKS_URL), issuer: AUTH_ISSUER, audience: AUTH_AUDIENCE ?? 'stet' }
    : null
}

const listOf = (value: string): string[] =>
  value
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '')

const areSubnets = (list: readonly string[]): boolean =>
  list.length > 0 &&
  list.every(item => {
    const [address = '', bits = '0', ...rest] = item.split('/')
    const longest = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
    return rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= longest
  })

const isOrigin = (value: string): boolean => {
  if (value === '*') return true
  try {
    return new URL(value).origin === value
  } catch {
    return false
  }
}

// Connection strings may carry a password: it is not printed.
const quoted = (value: string | undefined): string =>
  JSON.stringify((value ?? '').replace(/\/\/[^@/]*@/, '//***@').slice(0, 200))
