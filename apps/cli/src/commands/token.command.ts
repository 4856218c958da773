// `stet token`: a bearer token signed with the local key.
import { Inject } from '@nestjs/common'
import { type Config, type Role, ROLES, signToken } from '@stet/platform'
import { Command, CommandRunner, Option } from 'nest-commander'
import { UsageError, write } from '../output'
import { CONFIG } from '../stores'

interface TokenFlags {
  readonly role: Role
  readonly name: string
  readonly days?: number
}

@Command({ name: 'token', description: 'sign a bearer token with the key of this data directory' })
export class TokenCommand extends CommandRunner {
  constructor(@Inject(CONFIG) private readonly config: Config) {
    super()
  }

  async run(_: string[], { role, name, days }: TokenFlags): Promise<void> {
    if (this.config.auth) throw new UsageError('AUTH_JWKS_URL is set: tokens come from the identity provider')
    const { dataDir } = this.config
    await write(`${await signToken({ dataDir, role, name, ...(days === undefined ? {} : { days }) })}\n`)
  }

  @Option({ flags: '--role <role>', description: `one of ${ROLES.join(', ')}`, required: true })
  parseRole(role: string): Role {
    const known = ROLES.find(each => each === role)
    if (!known) throw new UsageError(`--role ${role}: the roles are ${ROLES.join(', ')}`)
    return known
  }

  @Option({ flags: '--name <name>', description: 'who it is for; the same name is the same actor', required: true })
  parseName(name: string): string {
    if (!name.trim() || name.length > 200) throw new UsageError('--name: 1 to 200 characters are needed')
    return name
  }

  @Option({ flags: '--days <days>', description: 'how long it is valid, 30 when absent' })
  parseDays(days: string): number {
    if (!/^[1-9]\d{0,3}$/.test(days)) throw new UsageError(`--days ${days}: a whole number from 1 to 9999 is needed`)
    return Number(days)
  }
}
