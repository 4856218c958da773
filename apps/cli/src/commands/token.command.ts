// `stet token`: a bearer token signed with the local key.
import { Inject } from '@nestjs/common'
import { type Config, isSlug, LOCAL_CLIENT, type Role, ROLES, signToken } from '@stet/platform'
import { Command, CommandRunner, Option } from 'nest-commander'
import { UsageError, write } from '../output'
import { CONFIG } from '../stores'
import { RevokeCommand } from './revoke.command'

interface TokenFlags {
  readonly role?: Role
  readonly name?: string
  readonly days?: number
  readonly client?: string
  readonly sections?: string[]
  readonly desks?: string[]
}

@Command({
  name: 'token',
  description: 'sign a bearer token with the key of this data directory',
  subCommands: [RevokeCommand],
})
export class TokenCommand extends CommandRunner {
  constructor(@Inject(CONFIG) private readonly config: Config) {
    super()
  }

  async run(_: string[], { role, name, ...more }: TokenFlags): Promise<void> {
    // Not left to the parser: it would ask for them with `stet token revoke` too.
    if (role === undefined || name === undefined) throw new UsageError('--role and --name are needed')
    if ((more.sections ?? more.desks) && role !== 'reporter')
      throw new UsageError('--sections and --desks limit reporters only')
    if (this.config.auth) throw new UsageError('AUTH_JWKS_URL is set: tokens come from the identity provider')
    const { dataDir } = this.config
    await write(`${await signToken({ dataDir, role, name, ...more })}\n`)
  }

  @Option({ flags: '--role <role>', description: `one of ${ROLES.join(', ')}` })
  parseRole(role: string): Role {
    const known = ROLES.find(each => each === role)
    if (!known) throw new UsageError(`--role ${role}: the roles are ${ROLES.join(', ')}`)
    return known
  }

  @Option({ flags: '--name <name>', description: 'who it is for; the same name is the same actor' })
  parseName(name: string): string {
    if (!name.trim() || name.length > 200) throw new UsageError('--name: 1 to 200 characters are needed')
    return name
  }

  @Option({ flags: '--days <days>', description: 'how long it is valid, 30 when absent' })
  parseDays(days: string): number {
    if (!/^[1-9]\d{0,3}$/.test(days)) throw new UsageError(`--days ${days}: a whole number from 1 to 9999 is needed`)
    return Number(days)
  }

  @Option({ flags: '--client <client>', description: `the program that it is for, ${LOCAL_CLIENT} when absent` })
  parseClient(client: string): string {
    if (!/^[\x20-\x7e]{1,200}$/.test(client)) throw new UsageError('--client: 1 to 200 printable characters are needed')
    return client
  }

  @Option({ flags: '--sections <slugs>', description: 'sections that a reporter is limited to, separated by commas' })
  parseSections(slugs: string): string[] {
    return slugsIn('--sections', slugs)
  }

  @Option({ flags: '--desks <slugs>', description: 'desks that a reporter is limited to, separated by commas' })
  parseDesks(slugs: string): string[] {
    return slugsIn('--desks', slugs)
  }
}

const slugsIn = (flag: string, given: string): string[] => {
  const slugs = given.split(',').map(slug => slug.trim())
  const wrong = slugs.find(slug => !isSlug(slug))
  if (wrong !== undefined)
    throw new UsageError(`${flag}: ${JSON.stringify(wrong)} is no slug (lower-case words joined by hyphens)`)
  return slugs
}
