import type { Command } from 'commander';
import { DateTime } from 'luxon';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import { EXIT } from '../platform/lifecycle/failure.js';
import { SCOPES, type Actor } from '../platform/sign-in/actor.js';
import type { ApiToken } from '../platform/sign-in/api-token.entity.js';
import { ApiTokens } from '../platform/sign-in/api-tokens.service.js';
import { TokenOwners, type TokenOwner } from '../platform/sign-in/token-owners.service.js';
import { endOfToken } from '../platform/sign-in/token-terms.js';
import { ServicePrincipals } from '../service-principals/service-principals.service.js';
import { CommandFailure, type AddCommand, type CliContext } from './command.js';
import { parseScopes } from './parse-scopes.js';

export const addToken: AddCommand = (program, context) => {
  const token = program.command('token').description('API tokens: create, list, revoke');
  addCreate(token, context);
  addList(token, context);
  addRevoke(token, context);
};

function addCreate(token: Command, { actor, note, out, withServices }: CliContext): void {
  token
    .command('create')
    .description('make a token and print it, once: it is stored as a hash only')
    .requiredOption('--name <name>', 'what it is for, as in "HR dashboard"')
    .requiredOption('--scopes <scopes>', 'what it may do, comma-separated')
    .option('--owner <owner>', 'who answers for it: the address of a person (it ends when they leave), or a service')
    .option('--service <name>', 'the same for a service, which is made when there is none of this name')
    .option(
      '--expires <when>',
      'a date (2027-01-31, to the end of that day in UTC) or a number of days, a year at most',
      '90d',
    )
    .option('--json', 'print {"id": …, "token": …} for a program')
    .addHelpText('after', `\nScopes: ${SCOPES.join(', ')}`)
    .action(async (options: CreateOptions) => {
      const scopes = parseScopes(options.scopes);
      const whose = ownerIn(options);
      const expiresAt = parseExpiry(options.expires, DateTime.utc());
      const { name } = options;
      const created = await withServices((services) =>
        services.get(DataSource).transaction(async (tx) => {
          const owner =
            'service' in whose
              ? await serviceOwner(services.get(ServicePrincipals), tx, actor, whose.service)
              : await existingOwner(services.get(TokenOwners), tx, whose.owner);
          return services.get(ApiTokens).create(tx, actor, { name, scopes, expiresAt, ...owner });
        }),
      );
      if (options.json) out(JSON.stringify(created));
      else {
        out(created.token);
        note(`This is token ${created.id}. It is shown this once; keep it where secrets are kept.`);
      }
    });
}

interface CreateOptions {
  name: string;
  scopes: string;
  owner?: string;
  service?: string;
  expires: string;
  json?: boolean;
}

function ownerIn({ owner = '', service = '' }: CreateOptions): { owner: string } | { service: string } {
  if (owner.trim() !== '' && service === '') return { owner: owner.trim() };
  if (service.trim() !== '' && owner === '') return { service: service.trim() };
  throw new CommandFailure('Say who answers for it: --owner with a person’s address, or --service.', EXIT.usage);
}

async function serviceOwner(
  services: ServicePrincipals,
  tx: EntityManager,
  actor: Actor,
  name: string,
): Promise<TokenOwner> {
  const { id } = await services.ensure(tx, actor, name);
  return { owner: name, servicePrincipalId: id };
}

async function existingOwner(owners: TokenOwners, tx: EntityManager, name: string): Promise<TokenOwner> {
  const owner = await owners.named(tx, name);
  if (owner) return owner;
  throw new CommandFailure(
    `Nobody and no service here is called “${name}”. Name a person by their corporate address, or a service with --service: it is made when there is none.`,
    EXIT.usage,
  );
}

function addList(token: Command, { out, withServices }: CliContext): void {
  token
    .command('list')
    .description('show all tokens: who answers for them, when they were last used')
    .option('--json', 'print a list for a program')
    .action(async (options: { json?: boolean }) => {
      const tokens = await withServices((services) => services.get(ApiTokens).list(services.get(DataSource).manager));
      if (options.json) out(JSON.stringify(tokens.map(viewOf)));
      else if (tokens.length === 0) out('There are no tokens. Make one with `quartermaster token create`.');
      else for (const one of tokens) out(lineFor(one));
    });
}

function addRevoke(token: Command, { actor, out, withServices }: CliContext): void {
  token
    .command('revoke <id>')
    .description('end a token: it opens nothing from the next request on')
    .action(async (id: string) => {
      if (!z.uuid().safeParse(id).success) {
        throw new CommandFailure('That is no id of a token. See `quartermaster token list`.', EXIT.usage);
      }
      const revoked = await withServices((services) =>
        services.get(DataSource).transaction((tx) => services.get(ApiTokens).revoke(tx, actor, id)),
      );
      if (!revoked)
        throw new CommandFailure('There is no such token, or it was revoked before. See `quartermaster token list`.');
      out(`revoked ${id}`);
    });
}

function parseExpiry(text: string, now: DateTime): Date {
  const days = /^(\d{1,4})d$/.exec(text)?.[1];
  const expiry = days ? now.plus({ days: Number(days) }) : DateTime.fromISO(text, { zone: 'utc' }).endOf('day');
  if (!expiry.isValid || expiry <= now) {
    throw new CommandFailure('--expires has to be a date to come (2027-01-31) or a number of days (90d).', EXIT.usage);
  }
  try {
    return endOfToken(expiry.toJSDate(), now.toJSDate());
  } catch (error) {
    throw new CommandFailure(error instanceof Error ? error.message : String(error), EXIT.usage);
  }
}

function viewOf(token: ApiToken): object {
  const { id, name, owner, ownerPersonId, servicePrincipalId, scopes, createdAt, expiresAt, lastUsedAt, revokedAt } =
    token;
  return { id, name, owner, ownerPersonId, servicePrincipalId, scopes, createdAt, expiresAt, lastUsedAt, revokedAt };
}

function lineFor(token: ApiToken): string {
  const { id, name, owner, scopes, expiresAt, lastUsedAt, revokedAt } = token;
  const state = revokedAt ? `revoked ${day(revokedAt)}` : expiresAt ? `until ${day(expiresAt)}` : '✗ no end';
  const isOwned = token.ownerPersonId !== null || token.servicePrincipalId !== null;
  return [
    id,
    name,
    isOwned ? `owner ${owner}` : `✗ nobody answers for it (${owner})`,
    state,
    `last used ${lastUsedAt ? day(lastUsedAt) : 'never'}`,
    scopes.join(','),
  ].join('  ');
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
