import type { INestApplication } from '@nestjs/common';
import supertest from 'supertest';
import { DataSource, type EntityManager } from 'typeorm';
import { Config } from '../../src/platform/config/config.js';
import { newId } from '../../src/platform/ids/new-id.js';
import type { Narrowing } from '../../src/platform/roles/reach.js';
import { RoleAssignments } from '../../src/platform/roles/role-assignments.service.js';
import type { Role } from '../../src/platform/roles/roles.js';
import { BrowserSessions } from '../../src/platform/sign-in/browser-sessions.service.js';
import { userPrincipal } from '../../src/platform/sign-in/principals.js';
import { SecurityKey } from '../../src/platform/sign-in/security-keys/security-key.entity.js';
import { SignInIdentity } from '../../src/platform/sign-in/sign-in-identity.entity.js';
import { AN_ADMIN } from './role-holders.js';

/** Somebody whom the OpenID provider knows and who is admitted; the answer is the actor's id. */
export async function anIdentity(tx: EntityManager, fields: Partial<SignInIdentity> = {}): Promise<string> {
  const id = fields.id ?? newId();
  await tx.insert(SignInIdentity, {
    id,
    issuer: 'https://login.acme.example',
    subject: id,
    displayName: `Ada Example-${id.slice(-8)}`,
    personId: null,
    ...fields,
  });
  return userPrincipal(id);
}

/** Registered by somebody; no key answers for it. */
export async function aSecurityKey(tx: EntityManager): Promise<void> {
  const [id, identityId] = [newId(), newId()];
  await anIdentity(tx, { id: identityId });
  await tx.insert(SecurityKey, {
    id,
    identityId,
    name: 'blue one',
    credentialId: id,
    publicKey: Buffer.alloc(77),
    counter: '0',
    transports: ['usb'],
  });
}

interface Wish extends Partial<Narrowing> {
  name?: string;
  personId?: string;
}

export interface User {
  principal: string;
  /** What a browser of theirs sends that is signed in, freshly. */
  headers: { cookie: string; origin: string };
  agent: ReturnType<typeof supertest.agent>;
}

/** Somebody who came by the OpenID provider and holds this role, or none. */
export async function aUser(
  app: INestApplication,
  role: Role | null,
  { name, personId, ...within }: Wish = {},
): Promise<User> {
  return app.get(DataSource).transaction(async (tx) => {
    const principal = await anIdentity(tx, {
      ...(name !== undefined && { displayName: name }),
      ...(personId !== undefined && { personId }),
    });
    if (role !== null) {
      const narrowing = { department: null, location: null, toolId: null, ...within };
      await app.get(RoleAssignments).assign(tx, AN_ADMIN, { principal, role, ...narrowing });
    }
    const identity = await tx.findOneByOrFail(SignInIdentity, { id: principal.slice('user:'.length) });
    const signIn = { identity, authenticatedAt: new Date(), providerSession: null, idToken: null };
    const token = await app.get(BrowserSessions).startByProvider(tx, signIn, null, { via: 'rest' });
    const { origin } = new URL(app.get(Config).publicUrl);
    const headers = { cookie: `quartermaster=${token}`, origin };
    return { principal, headers, agent: supertest.agent(app.getHttpServer()).set(headers) };
  });
}
