import { z } from 'zod';
import { AccountSeen } from './api-shapes.js';
import type { CompanyApp } from './company-app.js';
import type { ToolIds } from './register-tools.js';
import { NotProved } from './report.js';
import { certify, type SshAccess } from './ssh-access.js';
import type { SshGateway } from './ssh-gateway.js';
import type { Stage } from './stage.js';

interface Login {
  username: string;
  password: string;
}

/** What a person holds in hand: passwords, and the tokens that the apps gave them. */
export interface Access {
  analytics: Login;
  directory: Login & { token: string };
  chat: Login & { token: string };
  /** Null where the company has no such server. */
  ldap: Login | null;
  ssh: SshAccess | null;
}

/** slapo-ppolicy(5): only an administrator can unlock it. */
const LOCKED_FOR_GOOD = '000001010000Z';

const HandedOver = z.object({ username: z.string(), password: z.string() });
const Link = z.object({ url: z.url() });

export async function accountsOf(stage: Stage, personId: string): Promise<AccountSeen[]> {
  return stage.api.list(`/v1/accounts?personId=${personId}`, AccountSeen);
}

/** Opens each account's one-time link as its person would, signs in at each tool, and proves what they can do there. */
export async function signInEverywhere(stage: Stage, personId: string, email: string, device: string): Promise<Access> {
  const { report, company, tools } = stage;
  const accounts = await accountsOf(stage, personId);
  const accountAt = (key: keyof ToolIds) => accounts.find(({ toolId }) => toolId === tools[key]);
  const linkOf = (key: keyof ToolIds) => linkTo(stage, accountAt(key));
  const links = await Promise.all([linkOf('analytics-db'), linkOf('directory'), linkOf('chat')]);
  const [analytics, directory, chat] = await Promise.all([
    openLink(links[0], stage.signal),
    openLink(links[1], stage.signal),
    openLink(links[2], stage.signal),
  ]);
  const again = await Promise.all(links.map(async (link) => (await postTo(link, stage.signal)).status));
  report.prove(
    'each password came by a one-time link, which answers 410 the second time',
    again.every((status) => status === 410),
    { again },
  );
  await proveAnalytics(stage, analytics);
  const ldap = company.ldap && (await openLink(await linkOf('ldap'), stage.signal));
  if (ldap) {
    const isLetIn = await company.ldap?.accepts(ldap.username, ldap.password);
    report.prove(`LDAP: the directory lets ${ldap.username} in`, isLetIn === true, { isLetIn });
  }
  const ssh = company.gateway && (await proveSsh(stage, company.gateway, accountAt('ssh-gateway'), device));
  return {
    ldap,
    ssh,
    analytics,
    directory: { ...directory, token: await proveApp(stage, 'directory', company.directory, directory, email) },
    chat: { ...chat, token: await proveApp(stage, 'chat', company.chat, chat, email) },
  };
}

async function linkTo({ admin }: Stage, account: AccountSeen | undefined): Promise<string> {
  if (!account) throw new NotProved('there is an account in every tool');
  return (await admin.post(`/v1/accounts/${account.id}/credential-link`, undefined, Link)).url;
}

async function openLink(link: string, signal: AbortSignal): Promise<Login> {
  const { status, body } = await postTo(link, signal);
  const login = HandedOver.safeParse(body);
  if (!login.success) throw new NotProved(`a one-time link shows its password; it answered ${status}`);
  return login.data;
}

async function postTo(link: string, signal: AbortSignal): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(link, { method: 'POST', headers: { accept: 'application/json' }, signal });
  return { status: answer.status, body: await answer.json() };
}

async function proveAnalytics({ report, company }: Stage, { username, password }: Login): Promise<void> {
  const session = await company.analytics.logIn(username, password);
  try {
    const [row] = await session.query('SELECT current_user::text AS me, count(*)::int AS orders FROM orders');
    report.prove(
      `analytics database: ${username} logs in and reads ${String(row?.['orders'])} orders`,
      row?.['me'] === username && row['orders'] === 3,
      { ...row },
    );
  } finally {
    await session.close();
  }
}

async function proveSsh(
  stage: Stage,
  gateway: SshGateway,
  account: AccountSeen | undefined,
  deviceName: string,
): Promise<SshAccess> {
  if (!account) throw new NotProved('there is an account at the gateway');
  const device = await gateway.device(deviceName);
  await certify(stage, account.id, device);
  const live = await gateway.enter(account.username, device);
  live?.close();
  stage.report.prove(
    `SSH gateway: a certificate for ${deviceName} lets in ${live?.greeting ?? 'nobody'}`,
    live?.greeting.startsWith(`${account.username}, in `) === true && live.greeting.includes('developers'),
    { greeting: live?.greeting },
  );
  return { accountId: account.id, username: account.username, device };
}

async function proveApp(
  { report }: Stage,
  name: 'directory' | 'chat',
  app: CompanyApp,
  { username, password }: Login,
  email: string,
): Promise<string> {
  const user = await app.user(username);
  const addresses = user?.emails.map(({ value }) => value) ?? [];
  const groups = user?.groups.map(({ display }) => display) ?? [];
  report.prove(
    `${name}: SCIM shows ${username} active, on the corporate address alone, in ${groups.join(', ')}`,
    user?.active === true && addresses.length === 1 && addresses[0] === email && groups.includes('engineering'),
    { user },
  );
  const token = await app.signIn(username, password);
  report.prove(`${name}: ${username} signs in and the token opens`, token !== null && (await app.accepts(token)));
  return token ?? '';
}

/** Asks the tools themselves: what somebody holds opens nothing. */
export async function proveDead({ report, company }: Stage, access: Access, what: string): Promise<void> {
  const { analytics, directory, chat, ldap, ssh } = access;
  const refusal = await company.analytics.logIn(analytics.username, analytics.password).then(
    async (session) => {
      await session.close();
      return 'let in';
    },
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
  );
  // Class 28: invalid authorization, by a role that may not log in (28000) or a wrong password (28P01).
  report.prove(`analytics database: ${what} password is refused (SQLSTATE ${refusal})`, /^28(000|P01)$/.test(refusal), {
    refusal,
  });
  for (const [name, app, login] of [
    ['directory', company.directory, directory],
    ['chat', company.chat, chat],
  ] as const) {
    const token = await app.accepts(login.token);
    const password = (await app.signIn(login.username, login.password)) !== null;
    report.prove(`${name}: ${what} token and password are refused`, !token && !password, { token, password });
  }
  if (ldap && company.ldap) {
    const isLetIn = await company.ldap.accepts(ldap.username, ldap.password);
    report.prove(`LDAP: ${what} password is refused`, !isLetIn, { isLetIn });
  }
  if (ssh && company.gateway) {
    const live = await company.gateway.enter(ssh.username, ssh.device);
    live?.close();
    report.prove(`SSH gateway: ${what} certificate is refused, though its time isn’t over`, live === null);
  }
}

/** Asks the tools themselves: every account is suspended, and nobody is connected as this person. */
export async function proveSuspended({ report, company }: Stage, access: Access): Promise<void> {
  const role = await company.analytics.role(access.analytics.username);
  const directory = await company.directory.user(access.directory.username);
  const chat = await company.chat.user(access.chat.username);
  report.prove(
    'asked directly: role without LOGIN and without sessions; both SCIM users inactive',
    role?.canLogIn === false && role.sessions === 0 && directory?.active === false && chat?.active === false,
    { role, directory: directory?.active, chat: chat?.active },
  );
  if (access.ldap && access.ssh) {
    const lockedAt = await company.ldap?.lockedAt(access.ldap.username);
    const expiry = await company.gateway?.expiryOf(access.ssh.username);
    report.prove(
      'asked directly: the LDAP entry is locked for good; the Unix account is expired',
      lockedAt === LOCKED_FOR_GOOD && expiry === '1',
      { lockedAt, expiry },
    );
  }
}
