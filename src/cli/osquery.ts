import type { Command } from 'commander';
import { DateTime } from 'luxon';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { EnrolmentSecrets } from '../osquery/enrolment-secrets.service.js';
import { OsqueryNodes } from '../osquery/osquery-nodes.service.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { CommandFailure, type AddCommand, type CliContext } from './command.js';

const SHOWN_NODES = 200;

export const addOsquery: AddCommand = (program, context) => {
  const osquery = program.command('osquery').description('osquery’s agents: add-secret, secrets, revoke-secret, nodes');
  addSecret(osquery, context);
  addSecrets(osquery, context);
  addRevoke(osquery, context);
  addNodes(osquery, context);
};

function addSecret(osquery: Command, { actor, note, out, withServices }: CliContext): void {
  osquery
    .command('add-secret <batch>')
    .description('make a secret for a batch of machines and print it, once: it is stored as a hash only')
    .requiredOption('--uses <number>', 'how many machines may enrol with it')
    .option('--days <number>', 'how long, 90 at most', '30')
    .action(async (name: string, options: { uses: string; days: string }) => {
      const uses = wholeNumber('--uses', options.uses, 100_000);
      const expiresAt = DateTime.utc()
        .plus({ days: wholeNumber('--days', options.days, 90) })
        .minus({ minutes: 1 })
        .toJSDate();
      const { secret } = await withServices((services) =>
        services
          .get(DataSource)
          .transaction((tx) => services.get(EnrolmentSecrets).create(tx, actor, { name, uses, expiresAt })),
      );
      out(secret);
      note('Write it to the file that --enroll_secret_path names. It is shown this once. See ops/osquery.');
    });
}

function addSecrets(osquery: Command, { out, withServices }: CliContext): void {
  osquery
    .command('secrets')
    .description('show all secrets: how often each was used, and until when it counts')
    .action(async () => {
      const secrets = await withServices((services) =>
        services.get(EnrolmentSecrets).list(services.get(DataSource).manager),
      );
      if (secrets.length === 0) out('There are no secrets. Make one with `quartermaster osquery add-secret BATCH`.');
      for (const { id, name, uses, used, expiresAt, revokedAt } of secrets) {
        const end = revokedAt ? `revoked ${day(revokedAt)}` : `until ${day(expiresAt)}`;
        out([id, name, `${used} of ${uses} used`, end].join('  '));
      }
    });
}

function addRevoke(osquery: Command, { actor, out, withServices }: CliContext): void {
  osquery
    .command('revoke-secret <id>')
    .description('nobody enrols with it any more; who did stays enrolled')
    .action(async (id: string) => {
      if (!z.uuid().safeParse(id).success) {
        throw new CommandFailure('That is no id of a secret. See `quartermaster osquery secrets`.', EXIT.usage);
      }
      await withServices((services) =>
        services.get(DataSource).transaction((tx) => services.get(EnrolmentSecrets).revoke(tx, actor, id)),
      );
      out(`revoked ${id}`);
    });
}

function addNodes(osquery: Command, { out, withServices }: CliContext): void {
  osquery
    .command('nodes')
    .description('show enrolled agents, the newest first')
    .option('--pending', 'those that belong to no device yet')
    .action(async (options: { pending?: boolean }) => {
      const nodes = await withServices((services) =>
        services.get(OsqueryNodes).list(services.get(DataSource).manager, options.pending ? 'pending' : undefined, {
          after: null,
          limit: SHOWN_NODES,
        }),
      );
      if (nodes.length === 0) out(options.pending ? 'Every node belongs to a device.' : 'No agent has enrolled.');
      for (const { id, hostname, serial, deviceId, agentVersion, lastSeenAt, endedAt, endedBecause } of nodes) {
        const why = endedBecause === null ? '' : ` (${endedBecause.replace('_', ' ')})`;
        const state = endedAt ? `ended ${day(endedAt)}${why}` : deviceId ? `device ${deviceId}` : 'pending';
        const seen = `last seen ${lastSeenAt?.toISOString() ?? 'never'}`;
        out([id, hostname ?? '?', `serial ${serial ?? '?'}`, state, `osquery ${agentVersion ?? '?'}`, seen].join('  '));
      }
    });
}

function wholeNumber(option: string, text: string, most: number): number {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= most) return number;
  throw new CommandFailure(`${option} has to be a whole number from 1 to ${most}.`, EXIT.usage);
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
