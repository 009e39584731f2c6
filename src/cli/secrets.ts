import type { INestApplicationContext } from '@nestjs/common';
import { Option, type Command } from 'commander';
import { DataSource } from 'typeorm';
import { ChannelsService } from '../alerting/channels.service.js';
import { makeAgeIdentity } from '../platform/crypto/providers/age-identities.js';
import { makeKeyFile } from '../platform/crypto/key-file.js';
import { PROVIDERS, type ProviderKind } from '../platform/crypto/key-provider.js';
import type { KeyRing } from '../platform/crypto/sealing-key.entity.js';
import { RewrapSecrets, type BrokenSecret } from '../platform/crypto/rewrap-secrets.service.js';
import { SealingKeys, type SealingKeySeen } from '../platform/crypto/sealing-keys.service.js';
import { inTransaction } from '../platform/database/transaction.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { ToolsService } from '../tools/tools.service.js';
import { findByName } from './alert-channel.js';
import { CommandFailure, type AddCommand, type CliContext } from './command.js';
import { readSecret, SECRET_FILE, STANDARD_INPUT } from './read-secret.js';

export const addSecrets: AddCommand = (program, context) => {
  const secrets = program
    .command('secrets')
    .description('sealed secrets and the keys that seal them: list, check, set, rotate, rewrap, retire')
    .addHelpText('after', '\nNo command shows a secret or a key. See docs/secrets.md.');
  addList(secrets, context);
  addCheck(secrets, context);
  addSet(secrets, context);
  addRotate(secrets, context);
  addRewrap(secrets, context);
  addRetire(secrets, context);
  addMakeFiles(secrets, context);
};

function addList(secrets: Command, { out, withServices }: CliContext): void {
  secrets
    .command('list')
    .description('show the keys that seal, and how many secrets are under each')
    .option('--json', 'print a list for a program')
    .action(async (options: { json?: boolean }) => {
      const keys = await withServices((services) => services.get(SealingKeys).list());
      if (options.json) out(JSON.stringify(keys));
      else for (const key of keys) out(lineOf(key));
    });
}

function addCheck(secrets: Command, { out, withServices }: CliContext): void {
  secrets
    .command('check')
    .description(
      'ask each provider for its keys and open every secret, showing none; exit with 1 when one does not open',
    )
    .action(async () => {
      const troubles = await withServices(async (services) => {
        const keys = (await services.get(SealingKeys).list()).filter(isOpening);
        let away = 0;
        for (const { fingerprint, provider, keyName } of keys) {
          const trouble = await services.get(SealingKeys).prove(fingerprint);
          if (trouble) away += 1;
          out(
            `${trouble ? 'NOT THERE' : 'ok       '}  ${fingerprint}  ${provider}  ${keyName}${trouble ? `  ${trouble}` : ''}`,
          );
        }
        if (away > 0) return away;
        const { opened, unchecked, broken } = await services.get(RewrapSecrets).check();
        for (const one of broken) out(brokenLine(one));
        out(`${opened} secret(s) open.`);
        if (unchecked > 0) out(`${unchecked} recovery key(s) were not tried: RECOVERY_IDENTITY_FILE is not set here.`);
        return broken.length;
      });
      if (troubles > 0) throw new CommandFailure(`${troubles} thing(s) are wrong. What to do: docs/secrets.md.`);
    });
}

function addSet(secrets: Command, { actor, out, withServices }: CliContext): void {
  secrets
    .command('set <what>')
    .description('put another secret in the place of one: tool/KEY/NAME or alert-channel/NAME')
    .option(SECRET_FILE, 'where it is; - is the standard input', STANDARD_INPUT)
    .action(async (what: string, options: { secretFile: string }) => {
      const [kind, key, name] = what.split('/');
      if (!(kind === 'tool' && key && name) && !(kind === 'alert-channel' && key && !name)) {
        throw new CommandFailure('Say which secret: tool/KEY/NAME or alert-channel/NAME.', EXIT.usage);
      }
      const secret = await readSecret(options.secretFile);
      if (secret === '') throw new CommandFailure('The secret is empty.', EXIT.usage);
      await withServices((services) =>
        name ? setOfTool(services, actor, { key, name, secret }) : setOfChannel(services, actor, key, secret),
      );
      out(`set ${what}`);
    });
}

async function setOfTool(
  services: INestApplicationContext,
  actor: Actor,
  { key, name, secret }: { key: string; name: string; secret: string },
): Promise<void> {
  const tools = services.get(ToolsService);
  await inTransaction(services.get(DataSource), async (tx) => {
    const tool = await tools.findByKey(tx, key);
    if (!tool) throw new CommandFailure(`There is no tool with the key ${key}. See \`quartermaster tools list\`.`);
    await tools.update(tx, actor, tool.id, { secrets: { [name]: secret } }, tool.version);
  });
}

async function setOfChannel(
  services: INestApplicationContext,
  actor: Actor,
  name: string,
  secret: string,
): Promise<void> {
  const { id } = await findByName(services, name);
  await services.get(ChannelsService).replaceSecret(actor, id, secret);
}

function addRotate(secrets: Command, context: CliContext): void {
  secrets
    .command('rotate')
    .description('make a new key that seals from now on, and bring every secret under it')
    .addOption(new Option('--to <provider>', 'who wraps the new key; by default as now').choices(PROVIDERS))
    .option('--no-rewrap', 'leave what is sealed under the old key for `secrets rewrap`')
    .addHelpText(
      'after',
      `
Every process has to be set up for the provider before: see docs/secrets.md. Old keys go on opening until they are retired.`,
    )
    .action(async (options: { to?: ProviderKind; rewrap: boolean }) => {
      await context.withServices(async (services) => {
        context.out(`${await services.get(SealingKeys).rotate(context.actor, options.to)} seals from now on`);
        if (options.rewrap) await rewrap(services, context);
      });
    });
}

function addRewrap(secrets: Command, context: CliContext): void {
  secrets
    .command('rewrap')
    .description(
      'bring every secret under the key that seals now; may be interrupted and run again, by several at once',
    )
    .option('--recovery', 'recovery keys, under the RECOVERY_RECIPIENTS of now; needs RECOVERY_IDENTITY_FILE')
    .action((options: { recovery?: boolean }) =>
      context.withServices((services) => rewrap(services, context, options.recovery ? 'recovery' : 'standard')),
    );
}

function addRetire(secrets: Command, { actor, out, withServices }: CliContext): void {
  secrets
    .command('retire <fingerprint>')
    .description('end a key that nothing is sealed under; after that its file, or its key at the provider, may go')
    .action(async (fingerprint: string) => {
      await withServices((services) => services.get(SealingKeys).retire(actor, fingerprint));
      out(`retired ${fingerprint}`);
    });
}

function addMakeFiles(secrets: Command, { out, note }: CliContext): void {
  secrets
    .command('make-key-file <path>')
    .description('make a further key file, for SECRETS_KEY_FILES')
    .action(async (path: string) => {
      out((await makeKeyFile(path)).fingerprint);
      note(
        'Back it up apart from the database, name it first in SECRETS_KEY_FILES of every process, then `secrets rotate`.',
      );
    });
  secrets
    .command('make-identity <path>')
    .description('make an age identity and print its recipient, its public half')
    .action(async (path: string) => {
      out(await makeAgeIdentity(path));
      note(`The identity is in ${path}: back it up apart from the database.`);
    });
}

async function rewrap(
  services: INestApplicationContext,
  { actor, out, note }: CliContext,
  ring: KeyRing = 'standard',
): Promise<void> {
  const interrupted = new AbortController();
  const stop = () => interrupted.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const service = services.get(RewrapSecrets);
  try {
    const { rewrapped, broken } = await service.run(actor, {
      ring,
      signal: interrupted.signal,
      onProgress: (done, all) => note(`${done} of ${all}`),
    });
    for (const one of broken) out(brokenLine(one));
    const left = await service.left(ring);
    out(`rewrapped ${rewrapped}, ${left} left`);
    if (left > 0) throw new CommandFailure(whyLeft(broken.length));
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

function whyLeft(broken: number): string {
  return broken > 0
    ? `${broken} secret(s) don't open under their old key: set them anew. Nothing was changed about them.`
    : 'Run `quartermaster secrets rewrap` again for what is left; everything opens meanwhile.';
}

function lineOf({ fingerprint, ring, provider, keyName, state, secrets, madeAt }: SealingKeySeen): string {
  const since = madeAt.toISOString().slice(0, 10);
  return [
    fingerprint,
    ring.padEnd(8),
    state.padEnd(7),
    `${secrets} secret(s)`,
    provider,
    keyName,
    `since ${since}`,
  ].join('  ');
}

function brokenLine({ id, purpose, why }: BrokenSecret): string {
  return `BROKEN     ${id}  ${purpose}  ${why}`;
}

function isOpening({ ring, state }: SealingKeySeen): boolean {
  return ring === 'standard' && state !== 'retired';
}
