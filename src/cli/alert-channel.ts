import type { Command } from 'commander';
import type { INestApplicationContext } from '@nestjs/common';
import { z } from 'zod';
import type { AlertChannel } from '../alerting/alert-channel.entity.js';
import { NewChannel } from '../alerting/channel-settings.js';
import { ChannelsService } from '../alerting/channels.service.js';
import { EXIT } from '../platform/lifecycle/failure.js';
import { CommandFailure, type AddCommand, type CliContext } from './command.js';
import { readSecret, SECRET_FILE, STANDARD_INPUT } from './read-secret.js';

export const addAlertChannel: AddCommand = (program, context) => {
  const channel = program.command('alert-channel').description('ways to reach people: add, list, test, remove');
  const add = channel
    .command('add')
    .description('add one; its secret is read from a file or the standard input, and sealed');
  addPagerDuty(add, context);
  addSlack(add, context);
  addSmtp(add, context);
  addList(channel, context);
  addTest(channel, context);
  addRemove(channel, context);
};

function addPagerDuty(add: Command, context: CliContext): void {
  add
    .command('pagerduty <name>')
    .description('an Events API v2 integration of a PagerDuty service')
    .option(SECRET_FILE, 'where its routing key is; - is the standard input', STANDARD_INPUT)
    .option('--base-url <url>', 'https://events.eu.pagerduty.com in the EU region')
    .option('--allow-private-addresses', 'for an address inside your network, or plain http')
    .action(
      async (name: string, options: { secretFile: string; baseUrl?: string; allowPrivateAddresses?: boolean }) => {
        const { baseUrl, allowPrivateAddresses } = options;
        await create(context, {
          kind: 'pagerduty',
          name,
          settings: { ...(baseUrl && { baseUrl }), ...(allowPrivateAddresses && { allowPrivateAddresses }) },
          secret: await readSecret(options.secretFile),
        });
      },
    );
}

function addSlack(add: Command, context: CliContext): void {
  add
    .command('slack <name>')
    .description('an incoming webhook of Slack')
    .option(SECRET_FILE, "where the webhook's address is, which is its secret; - is the standard input", STANDARD_INPUT)
    .option('--allow-private-addresses', 'for an address inside your network, or plain http')
    .action(async (name: string, options: { secretFile: string; allowPrivateAddresses?: boolean }) => {
      const { allowPrivateAddresses } = options;
      await create(context, {
        kind: 'slack',
        name,
        settings: { ...(allowPrivateAddresses && { allowPrivateAddresses }) },
        secret: await readSecret(options.secretFile),
      });
    });
}

function addSmtp(add: Command, context: CliContext): void {
  add
    .command('smtp <name>')
    .description('mail')
    .requiredOption('--host <host>', 'the mail server')
    .option('--port <port>', '587, or 465 with --tls implicit', '587')
    .option('--tls <how>', 'starttls, implicit, or none', 'starttls')
    .option('--user <user>', 'with a password')
    .option(SECRET_FILE, 'where the password is, if there is a user; - is the standard input', STANDARD_INPUT)
    .requiredOption('--from <address>', "the sender's address")
    .requiredOption('--to <addresses>', 'who gets it, comma-separated')
    .action(
      async (
        name: string,
        options: {
          host: string;
          port: string;
          tls: string;
          user?: string;
          secretFile: string;
          from: string;
          to: string;
        },
      ) => {
        const { host, port, tls, user, from, to } = options;
        await create(context, {
          kind: 'smtp',
          name,
          settings: {
            host,
            port: Number(port),
            tls,
            ...(user && { user }),
            from,
            to: to.split(',').map((one) => one.trim()),
          },
          ...(user && { secret: await readSecret(options.secretFile) }),
        });
      },
    );
}

function addList(channel: Command, { out, withServices }: CliContext): void {
  channel
    .command('list')
    .description('show all channels, in the order in which they are tried without an escalation list')
    .option('--json', 'print a list for a program')
    .action(async (options: { json?: boolean }) => {
      const channels = await withServices((services) => services.get(ChannelsService).list());
      if (options.json) {
        out(JSON.stringify(channels.map(({ id, name, kind, settings }) => ({ id, name, kind, settings }))));
      } else if (channels.length === 0) out('There are no channels: alerts reach the console only.');
      else for (const { name, kind, settings } of channels) out(`${name}  ${kind}  ${JSON.stringify(settings)}`);
    });
}

function addTest(channel: Command, { actor, out, withServices }: CliContext): void {
  channel
    .command('test <name>')
    .description('send a test message and tell what came of it; exit with 1 when it was not taken')
    .action(async (name: string) => {
      const outcome = await withServices(async (services) => {
        const { id } = await findByName(services, name);
        return services.get(ChannelsService).test(actor, id);
      });
      if (outcome.outcome !== 'sent') throw new CommandFailure(`${outcome.outcome}: ${outcome.why}`);
      out('sent');
    });
}

function addRemove(channel: Command, { actor, out, withServices }: CliContext): void {
  channel
    .command('remove <name>')
    .description('take a channel out of use and destroy its secret')
    .action(async (name: string) => {
      await withServices(async (services) => {
        const { id } = await findByName(services, name);
        await services.get(ChannelsService).remove(actor, id);
      });
      out(`removed ${name}`);
    });
}

export async function findByName(services: INestApplicationContext, name: string): Promise<AlertChannel> {
  const found = (await services.get(ChannelsService).list()).find((channel) => channel.name === name);
  if (!found) throw new CommandFailure(`There is no channel “${name}”. See \`quartermaster alert-channel list\`.`);
  return found;
}

async function create({ actor, out, note, withServices }: CliContext, wanted: object): Promise<void> {
  const parsed = NewChannel.safeParse(wanted);
  if (!parsed.success) throw new CommandFailure(z.prettifyError(parsed.error), EXIT.usage);
  const { id, name } = await withServices((services) => services.get(ChannelsService).add(actor, parsed.data));
  out(id);
  note(`Try it: quartermaster alert-channel test ${name}`);
}
