import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { userPrincipal } from './principals.js';
import { SignInIdentities } from './sign-in-identities.service.js';
import type { SignInIdentity } from './sign-in-identity.entity.js';
import { Allow } from './who-may-call.js';

const IdentityView = z.object({
  id: z.uuid(),
  principal: z.string().describe('`user:<id>`: to whom roles are given.'),
  name: z.string().describe('What the audit log calls them.'),
  personId: z.uuid().nullable().describe('Who they are among the people here; null: nobody of them.'),
  admittedAt: z.iso.datetime(),
  withdrawnAt: z.iso.datetime().nullable().describe('From then on they are let in no more.'),
});
const IdentityList = z.object({ items: z.array(IdentityView) });

@ApiTags('sign-in')
@Controller('v1/sign-in-identities')
export class SignInIdentitiesController {
  constructor(
    private readonly db: DataSource,
    private readonly identities: SignInIdentities,
  ) {}

  @Get()
  @Allow('roles:read')
  @ApiOkResponse({ standardSchema: IdentityList, description: 'Who may sign in, the oldest first.' })
  async list(): Promise<z.infer<typeof IdentityList>> {
    return { items: (await this.identities.list(this.db.manager)).map(view) };
  }
}

/** Without the provider's own id of them: nobody needs it here. */
function view(identity: SignInIdentity): z.infer<typeof IdentityView> {
  const { id, displayName, personId, admittedAt, withdrawnAt } = identity;
  return {
    id,
    principal: userPrincipal(id),
    name: displayName,
    personId,
    admittedAt: admittedAt.toISOString(),
    withdrawnAt: withdrawnAt?.toISOString() ?? null,
  };
}
