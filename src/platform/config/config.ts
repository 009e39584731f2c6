import { isIP } from 'node:net';
import { Module, type DynamicModule } from '@nestjs/common';
import { z } from 'zod';
import { problemOfAddress } from '../storage/place.js';

/** What the environment said, checked; the class is the injection token. */
export abstract class Config {
  abstract readonly databaseUrl: string;
  /** Without it, PostgreSQL alone carries the work. */
  abstract readonly redisUrl?: string;
  abstract readonly host: string;
  abstract readonly port: number;
  /** The address people and tools reach us by, without a trailing slash. */
  abstract readonly publicUrl: string;
  abstract readonly keyFile: string;
  /** A test instance can't touch a production tool, nor the other way round. */
  abstract readonly environment: 'production' | 'test';
  abstract readonly accessPolicyFile?: string;
  /** The laptop-lost runbook that counts where none was activated yet. */
  abstract readonly runbookFile?: string;
  abstract readonly logLevel: LogLevel;
  /** Where counts and levels go beside `/metrics`, by UDP: `udp://host:8125`. */
  abstract readonly statsdUrl?: string;
  /** Where the audit log is published: addresses as `placeAt` takes them. */
  abstract readonly auditPublishTo: readonly string[];
  /** Where the content of images is kept: an address as `placeAt` takes it. Without it none is taken. */
  abstract readonly imageStore?: string;
  /** For how many days all observations of devices are kept; 0: for good. */
  abstract readonly observationsKeptDays: number;
  /** For how many days what people told at `/lost` is kept after it was decided; 0: for good. */
  abstract readonly lossReportsKeptDays: number;
  /** Of buckets whose address names no region. */
  abstract readonly awsRegion?: string;
  abstract readonly rateLimits: RateLimitConfig;
  /** Without it the API speaks plain HTTP. */
  abstract readonly tls?: TlsConfig;
  /** Addresses, networks and Express's words for some, whose X-Forwarded-For is believed. */
  abstract readonly trustProxy: readonly string[];
  /** Somebody said that plain HTTP may cross a network. */
  abstract readonly allowsPlainHttp: boolean;
  /** The OpenID provider that signs people in; without one, only one-time links do. */
  abstract readonly oidc?: OidcConfig;
}

export interface OidcConfig {
  /** The provider's issuer identifier, as its discovery document has it. */
  issuer: string;
  clientId: string;
  /** Holds the client's secret and nothing else; without it we are a public client, which PKCE protects. */
  clientSecretFile?: string;
  /** What people call the provider. */
  name: string;
}

/** Paths of PEM files. */
export interface TlsConfig {
  certFile: string;
  keyFile: string;
}

/** A minute, on each API server; 0: no limit. */
export interface RateLimitConfig {
  /** Wrong credentials of one address. */
  failures: number;
  /** Requests of one token or browser session. */
  requests: number;
}

export type LogLevel = (typeof LOG_LEVELS)[number];
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** `process.env`, or what a test puts in its place. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment can't be used; the message has a line for each variable, with what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly problems: readonly string[]) {
    super(`The configuration can't be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

// A message says what to set and never repeats the value: addresses carry passwords.
const DATABASE_URL = z
  .string({ error: 'is missing: set it to your PostgreSQL, as in postgres://user:password@host:5432/quartermaster' })
  .refine((url) => hasScheme(url, 'postgres:', 'postgresql:'), {
    error: "isn't an address of a PostgreSQL: write postgres://user:password@host:5432/quartermaster",
  });

const RATE = z
  .string()
  .regex(/^\d{1,7}$/, { error: "isn't a number of requests a minute: write a whole number, 0 for no limit" })
  .transform(Number);

const VARIABLES = z.object({
  DATABASE_URL,
  REDIS_URL: z
    .string()
    .refine((url) => hasScheme(url, 'redis:', 'rediss:'), {
      error: "isn't an address of a Redis: write redis://host:6379, or leave it out to work without Redis",
    })
    .optional(),
  HOST: z.string().default('127.0.0.1'),
  PORT: z
    .string()
    .regex(/^\d{1,5}$/, { error: "isn't a port: write a number from 0 to 65535" })
    .transform(Number)
    .refine((port) => port <= 65_535, { error: "isn't a port: write a number from 0 to 65535" })
    .default(3000),
  PUBLIC_URL: z
    .string()
    .refine((url) => hasScheme(url, 'http:', 'https:'), {
      error: "isn't a web address: write the one people open, as in https://quartermaster.example.com",
    })
    .transform((url) => url.replace(/\/+$/, ''))
    .optional(),
  QUARTERMASTER_KEY_FILE: z.string({
    error: 'is missing: set it to the path of the key file; `quartermaster init` makes the file',
  }),
  QUARTERMASTER_ENVIRONMENT: z
    .enum(['production', 'test'], { error: "isn't an environment: write production or test" })
    .default('production'),
  ACCESS_POLICY_FILE: z.string().optional(),
  RUNBOOK_FILE: z.string().optional(),
  STATSD_URL: z
    .string()
    .refine((url) => hasScheme(url, 'udp:') && URL.parse(url)?.hostname !== '', {
      error: "isn't the address of a StatsD: write udp://host:8125, or leave it out",
    })
    .optional(),
  OIDC_ISSUER: z
    .string()
    .refine(isIssuer, {
      error: "isn't an issuer: write the address that your provider names, as in https://login.example.com",
    })
    .optional(),
  OIDC_CLIENT_ID: z.string().optional(),
  OIDC_CLIENT_SECRET_FILE: z.string().optional(),
  OIDC_NAME: z.string().max(60, { error: 'is too long: write a name of at most 60 characters' }).optional(),
  AUDIT_PUBLISH_TO: z
    .string()
    .default('')
    .transform((text) => text.split(/[\s,]+/).filter(Boolean))
    .superRefine((targets, context) => {
      for (const target of targets) {
        const problem = problemOfAddress(target);
        if (problem !== null) context.addIssue({ code: 'custom', message: problem });
      }
    }),
  IMAGE_STORE: z
    .string()
    .superRefine((address, context) => {
      const problem = problemOfAddress(address);
      if (problem !== null) context.addIssue({ code: 'custom', message: problem });
    })
    .optional(),
  OBSERVATIONS_KEPT_DAYS: keptDays(90, 'all observations').default(400),
  // No less than a lost machine is watched for.
  LOSS_REPORTS_KEPT_DAYS: keptDays(30, 'what people told of lost laptops').default(180),
  // Amazon's own name for it: whoever has a role or a profile has set it already.
  AWS_REGION: z.string().optional(),
  TLS_CERT_FILE: z.string().optional(),
  TLS_KEY_FILE: z.string().optional(),
  TRUST_PROXY: z
    .string()
    .transform((list) => list.split(',').map((one) => one.trim()))
    .refine((list) => list.every(isNetwork), {
      error:
        "isn't a list of proxies: write addresses, networks as in 10.0.0.0/8, loopback or uniquelocal, with commas",
    })
    .optional(),
  PLAIN_HTTP: z.enum(['allowed'], { error: "isn't known: write allowed, or leave it out" }).optional(),
  RATE_LIMIT_FAILURES: RATE.default(60),
  RATE_LIMIT_REQUESTS: RATE.default(6_000),
  LOG_LEVEL: z.enum(LOG_LEVELS, { error: `isn't a level: write one of ${LOG_LEVELS.join(', ')}` }).default('info'),
});

/**
 * The configuration from the environment. An empty variable counts as one that isn't set, since Compose files make such.
 * @throws ConfigError that lists every variable that is missing or wrong, at once.
 */
export function loadConfig(env: Environment): Config {
  const variables = parseVariables(VARIABLES, env);
  const oidc = oidcConfig(variables);
  const tls = tlsConfig(variables);
  const ownUrl = `${tls ? 'https' : 'http'}://${urlHost(variables.HOST)}:${variables.PORT}`;
  const publicUrl = variables.PUBLIC_URL ?? ownUrl;
  return {
    databaseUrl: variables.DATABASE_URL,
    redisUrl: variables.REDIS_URL,
    host: variables.HOST,
    port: variables.PORT,
    publicUrl,
    keyFile: variables.QUARTERMASTER_KEY_FILE,
    environment: variables.QUARTERMASTER_ENVIRONMENT,
    accessPolicyFile: variables.ACCESS_POLICY_FILE,
    runbookFile: variables.RUNBOOK_FILE,
    logLevel: variables.LOG_LEVEL,
    statsdUrl: variables.STATSD_URL,
    ...(oidc && { oidc }),
    auditPublishTo: variables.AUDIT_PUBLISH_TO,
    ...(variables.IMAGE_STORE !== undefined && { imageStore: variables.IMAGE_STORE }),
    observationsKeptDays: variables.OBSERVATIONS_KEPT_DAYS,
    lossReportsKeptDays: variables.LOSS_REPORTS_KEPT_DAYS,
    awsRegion: variables.AWS_REGION,
    ...(tls && { tls }),
    trustProxy: variables.TRUST_PROXY ?? proxiesHere(variables.HOST, publicUrl, tls),
    allowsPlainHttp: variables.PLAIN_HTTP === 'allowed',
    rateLimits: { failures: variables.RATE_LIMIT_FAILURES, requests: variables.RATE_LIMIT_REQUESTS },
  };
}

function oidcConfig(variables: z.infer<typeof VARIABLES>): OidcConfig | undefined {
  const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET_FILE: clientSecretFile } = variables;
  if (issuer !== undefined && clientId !== undefined) {
    return {
      issuer,
      clientId,
      ...(clientSecretFile !== undefined && { clientSecretFile }),
      name: variables.OIDC_NAME ?? new URL(issuer).host,
    };
  }
  // Half a provider would sign nobody in, and say nothing of it until somebody tried.
  const others = (['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET_FILE', 'OIDC_NAME'] as const).filter(
    (name) => variables[name] !== undefined,
  );
  if (others.length === 0) return undefined;
  const missing = issuer === undefined ? 'OIDC_ISSUER' : 'OIDC_CLIENT_ID';
  throw new ConfigError([`${missing} is missing, but ${others.join(' and ')} is set: set both, or none`]);
}

function tlsConfig({
  TLS_CERT_FILE: certFile,
  TLS_KEY_FILE: keyFile,
}: z.infer<typeof VARIABLES>): TlsConfig | undefined {
  if (certFile !== undefined && keyFile !== undefined) return { certFile, keyFile };
  if (certFile === undefined && keyFile === undefined) return undefined;
  const [set, missing] = certFile === undefined ? ['KEY', 'CERT'] : ['CERT', 'KEY'];
  throw new ConfigError([`TLS_${missing}_FILE is missing, but TLS_${set}_FILE is set: set both, or none`]);
}

/** Where nobody but this machine can call and people come over TLS, what calls is a proxy of this machine. */
function proxiesHere(host: string, publicUrl: string, tls: TlsConfig | undefined): string[] {
  const isBehindProxy = !tls && publicUrl.startsWith('https:');
  return isBehindProxy && /^(127\.[\d.]+|::1|localhost)$/.test(host) ? ['loopback'] : [];
}

/** @param what is kept for good by 0 */
function keptDays(least: number, what: string) {
  const error = `isn't a number of days: write a whole number, ${least} or more, or 0 to keep ${what}`;
  return z
    .string()
    .regex(/^(0|[1-9]\d{1,4})$/, { error })
    .transform(Number)
    .refine((days) => days === 0 || days >= least, { error });
}

function isNetwork(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
}

/** For commands that touch nothing but the database, such as the migrations: they need no key. */
export function loadDatabaseUrl(env: Environment): string {
  return parseVariables(VARIABLES.pick({ DATABASE_URL: true }), env).DATABASE_URL;
}

/** For commands that reach for a bucket and need no database of ours for that. */
export function loadAwsRegion(env: Environment): string | undefined {
  return parseVariables(VARIABLES.pick({ AWS_REGION: true }), env).AWS_REGION;
}

/** An empty variable counts as one that isn't set. @throws ConfigError with every mistake at once */
export function parseVariables<T extends z.ZodObject>(schema: T, env: Environment): z.infer<T> {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const result = schema.safeParse(set);
  if (result.success) return result.data;
  throw new ConfigError(result.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`));
}

function hasScheme(url: string, ...schemes: string[]): boolean {
  return schemes.includes(URL.parse(url)?.protocol ?? '');
}

/** Over TLS (OpenID Connect Discovery 1.0, section 3); one on this very machine may do without. */
function isIssuer(text: string): boolean {
  const url = URL.parse(text);
  if (!url || url.search !== '' || url.hash !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** An IPv6 address stands in brackets in a URL (RFC 3986, 3.2.2). */
function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

@Module({})
export class ConfigModule {
  static of(config: Config): DynamicModule {
    return {
      module: ConfigModule,
      global: true,
      providers: [{ provide: Config, useValue: config }],
      exports: [Config],
    };
  }
}
