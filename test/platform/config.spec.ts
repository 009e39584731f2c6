import { describe, expect, it } from 'vitest';
import { loadAwsRegion, loadConfig, loadDatabaseUrl } from '../../src/platform/config/config.js';
import { placeAt } from '../../src/platform/storage/place.js';

const MINIMUM = { DATABASE_URL: 'postgres://db/quartermaster', QUARTERMASTER_KEY_FILE: '/etc/quartermaster/key' };

describe('the configuration', () => {
  it('needs an address and a key file, and has defaults for the rest', () => {
    expect(loadConfig(MINIMUM)).toEqual({
      databaseUrl: 'postgres://db/quartermaster',
      redisUrl: undefined,
      auditPublishTo: [],
      host: '127.0.0.1',
      port: 3000,
      publicUrl: 'http://127.0.0.1:3000',
      keyFile: '/etc/quartermaster/key',
      environment: 'production',
      accessPolicyFile: undefined,
      runbookFile: undefined,
      logLevel: 'info',
      trustProxy: [],
      allowsPlainHttp: false,
      observationsKeptDays: 400,
      lossReportsKeptDays: 180,
      rateLimits: { failures: 60, requests: 6_000 },
    });
  });

  it('keeps observations for good, or for a quarter of a year at least', () => {
    const kept = (days: string) => loadConfig({ ...MINIMUM, OBSERVATIONS_KEPT_DAYS: days }).observationsKeptDays;
    expect([kept('0'), kept('90'), kept('3650')]).toEqual([0, 90, 3_650]);
    for (const wrong of ['30', '-1', 'ever', '090']) {
      expect(messageOf(() => kept(wrong))).toContain('OBSERVATIONS_KEPT_DAYS isn');
    }
  });

  it('keeps what people told of lost laptops for good, or for as long as a lost one is watched for at least', () => {
    const kept = (days: string) => loadConfig({ ...MINIMUM, LOSS_REPORTS_KEPT_DAYS: days }).lossReportsKeptDays;
    expect([kept('0'), kept('30'), kept('3650')]).toEqual([0, 30, 3_650]);
    expect(messageOf(() => kept('29'))).toContain('LOSS_REPORTS_KEPT_DAYS isn');
  });

  it('tells every variable that is missing or wrong at once, with what to do, and never repeats a value', () => {
    const wrong = {
      DATABASE_URL: 'mysql://root:hunter2@db/x',
      REDIS_URL: 'hunter2',
      PORT: '70000',
      PUBLIC_URL: 'ftp://hunter2',
      QUARTERMASTER_ENVIRONMENT: 'staging',
      LOG_LEVEL: 'loud',
    };
    const text = messageOf(() => loadConfig(wrong));
    for (const name of [...Object.keys(wrong), 'QUARTERMASTER_KEY_FILE']) expect(text).toContain(`  - ${name} `);
    expect(text).toContain('postgres://user:password@host:5432/quartermaster');
    expect(text).not.toContain('hunter2');
  });

  it('knows the region of buckets whose addresses name none', () => {
    expect(loadConfig({ ...MINIMUM, AWS_REGION: 'eu-central-1' }).awsRegion).toBe('eu-central-1');
    expect(loadAwsRegion({ AWS_REGION: 'eu-central-1' })).toBe('eu-central-1');
    expect(placeAt('s3://images', 'eu-central-1')).toMatchObject({ region: 'eu-central-1' });
    expect(placeAt('s3://images?region=eu-west-1', 'eu-central-1')).toMatchObject({ region: 'eu-west-1' });
    expect(placeAt('s3://images')).toMatchObject({ region: 'us-east-1' });
  });

  it('takes an empty variable for one that is not set', () => {
    expect(loadConfig({ ...MINIMUM, REDIS_URL: '', PORT: '' })).toMatchObject({ redisUrl: undefined, port: 3000 });
    expect(messageOf(() => loadDatabaseUrl({ DATABASE_URL: '' }))).toContain('DATABASE_URL is missing');
  });

  it('takes an OpenID provider whole or not at all, over TLS unless it is on this machine', () => {
    const provider = { OIDC_ISSUER: 'https://login.acme.example/tenant', OIDC_CLIENT_ID: 'qm' };
    expect(loadConfig({ ...MINIMUM, ...provider }).oidc).toEqual({
      issuer: 'https://login.acme.example/tenant',
      clientId: 'qm',
      name: 'login.acme.example',
    });
    expect(
      loadConfig({ ...MINIMUM, ...provider, OIDC_NAME: 'Acme', OIDC_CLIENT_SECRET_FILE: '/s' }).oidc,
    ).toMatchObject({
      clientSecretFile: '/s',
      name: 'Acme',
    });
    expect(loadConfig({ ...MINIMUM, ...provider, OIDC_ISSUER: 'http://127.0.0.1:9' }).oidc).toBeDefined();
    const told = (wrong: Record<string, string>) => messageOf(() => loadConfig({ ...MINIMUM, ...wrong }));
    expect(told({ ...provider, OIDC_ISSUER: 'http://login.acme.example' })).toContain("OIDC_ISSUER isn't an issuer");
    expect(told({ OIDC_ISSUER: provider.OIDC_ISSUER })).toContain('OIDC_CLIENT_ID is missing');
    expect(told({ OIDC_CLIENT_SECRET_FILE: '/s' })).toContain('OIDC_ISSUER is missing');
  });

  it('takes a certificate only with its key, and has people come over TLS then', () => {
    const tls = { TLS_CERT_FILE: '/tls.crt', TLS_KEY_FILE: '/tls.key' };
    expect(loadConfig({ ...MINIMUM, ...tls })).toMatchObject({
      tls: { certFile: '/tls.crt', keyFile: '/tls.key' },
      publicUrl: 'https://127.0.0.1:3000',
    });
    expect(messageOf(() => loadConfig({ ...MINIMUM, ...tls, TLS_KEY_FILE: '' }))).toContain('TLS_KEY_FILE is missing');
  });

  it('makes the public address of host and port, and drops a slash at its end', () => {
    expect(loadConfig({ ...MINIMUM, HOST: '::1', PORT: '8080' }).publicUrl).toBe('http://[::1]:8080');
    expect(loadConfig({ ...MINIMUM, PUBLIC_URL: 'https://qm.example.com/' }).publicUrl).toBe('https://qm.example.com');
  });
});

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was accepted');
}
